"""Parts of the page Models: what may be believed, what it costs, and two transcripts beside each other as plain text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from dashboard import models, ui
from dashboard.charts_evals import Apart, Pair
from dashboard.ui import html, join
from evals import transcripts
from evals.compare import Comparison, Report, doubts, points
from evals.journal import Told
from scout.digest.wording import plural
from scout.store.evals import EvalAlarm, EvalRun
from scout.text import verbatim

CHARACTERS = 8_000
"""So much of one text is shown."""
BESIDE = 3
"""So many models answer beside each other unless more are chosen."""


def verdict(report: Report) -> Markup:
    """Where the first model is better, worse, and what a tie could have shown: each a line, the clear ones first."""
    lines = []
    for result, head in (("better", "better"), ("worse", "worse"), ("tie", "no detectable difference")):
        rows = [row for row in report.rows if row.result == result]
        if rows:
            told = join((_finding(row) for row in rows), "; ")
            lines.append(
                html('<p class="sc-verdict"><span class="sc-lane {}">{}</span> {}</p>', KINDS[result], head, told)
            )
    lines += [html('<p class="sc-faint">{}</p>', ui.text(doubt, limit=600)) for doubt in _doubts(report)]
    head = html("<b>{}</b> beside <b>{}</b>", ui.text(report.a, limit=120), ui.text(report.b, limit=120))
    return html('<p class="sc-verdict-head">{}</p>{}', head, join(lines))


def _doubts(report: Report) -> list[str]:
    """What speaks against the verdict, and how the two were asked otherwise."""
    everywhere, own = doubts(report)
    told = []
    if everywhere:
        least = f"; least of all {', '.join(own)}" if own else ""
        told.append(f"Not to be trusted: {'; '.join(everywhere)}{least}.")
    elif own:
        reasons = [f"{suite} ({', '.join(why)})" for suite, why in own.items()]
        told.append(f"Not to be trusted: {'; '.join(reasons)}.")
    otherwise = dict.fromkeys(row.otherwise for row in report.rows if row.otherwise)
    return told + [f"Asked otherwise: {how}." for how in otherwise]


KINDS = {"better": "read", "worse": "worse", "tie": "skip"}


def _finding(row: Comparison) -> Markup:
    name = ui.text(row.domain, limit=60)
    if row.result == "tie":
        could = "" if row.detectable is None else f" (could have shown {100 * row.detectable:.1f})"
        return html("{}<span class='sc-faint'>{}</span>", name, could)
    return html("{} <b>{}</b><span class='sc-faint'>, {}</span>", name, points(row.difference.mean), _interval(row))


def _interval(row: Comparison) -> str:
    low, high = row.difference.interval
    return f"{points(low)} to {points(high)}" if math.isfinite(low) else "no interval"


def alarms(found: Sequence[EvalAlarm]) -> Markup:
    return join(
        html('<div class="sc-note">{}: {}</div>', alarm.kind, ui.text(alarm.text, limit=400)) for alarm in found
    )


def trust(named: Iterable[tuple[str, Mapping[str, EvalRun]]]) -> Markup:
    """Of each model: what was checked of its server and of the suites, and what is missing."""
    rows = []
    for name, runs in named:
        sums = models.totals(runs.values())
        labels = dict.fromkeys(run.label for run in runs.values() if run.label)
        gate = {str(run.checks.get("label") or "passed") if run.checks else "not checked" for run in runs.values()}
        state = "done" if not labels else "failed"
        rows.append(
            (
                ui.text(name, limit=80), html('<span class="sc-dot {}"></span>{}', state, ui.text("; ".join(gate), limit=160)),
                plural(len(runs), "suite"), f"{sums['n']:,} × {sums['epochs']}", f"{sums['errors']:,} of {sums['of']:,}",
                f"{sums['cut']:,}", ui.text("; ".join(labels) or "nothing against it", limit=200),
            )
        )  # fmt: skip
    return ui.table(
        ("Model", "Gate", "Self-checked", "Items × epochs", "Missing answers", "Cut off", "Trust"), rows, numbers=(3, 4, 5)
    )  # fmt: skip


def by_suite(named: Sequence[tuple[str, Mapping[str, EvalRun]]]) -> Markup:
    """Every suite's score with its interval, and what is missing of it, a model beside the other."""
    suites = dict.fromkeys(suite for _, runs in named for suite in runs)
    places = "AB"[: len(named)]
    heads = [
        "Suite",
        *(f"{what}, {place}" for what in ("Score", "Items", "Missing", "Cut off") for place in places),
        "Against it",
    ]
    rows = []
    for suite in suites:
        mine = [runs.get(suite) for _, runs in named]
        labels = dict.fromkeys(part for run in mine if run for part in run.label.split("; ") if part)
        cells = [_figure(run, what) for what in ("score", "items", "errors", "cut") for run in mine]
        rows.append([ui.text(suite, limit=60), *cells, ui.text("; ".join(labels) or "nothing", limit=300)])
    return ui.table(heads, rows, numbers=tuple(range(1, len(heads) - 1)))


def _figure(run: EvalRun | None, what: str) -> str:
    if run is None:
        return "–"
    if what == "score":
        return _share(run)
    return f"{run.summary['n']:,} × {run.epochs}" if what == "items" else f"{run.summary[what]:,}"


def apart(rows: Sequence[Comparison]) -> list[Apart]:
    """For the forest plot: what is clear first, by size."""
    ordered = sorted(rows, key=lambda row: (row.result == "tie", -row.difference.mean))
    return [
        Apart(
            _name(row), row.difference.mean, *row.difference.interval, row.result,
            f"{points(row.difference.mean)}, {_interval(row)}, p {row.p:.2g} of {row.difference.n} items",
        )
        for row in ordered
        if math.isfinite(row.difference.low)
    ]  # fmt: skip


def _name(row: Comparison) -> str:
    return f"{row.domain}, {row.condition}" if row.condition else row.domain


def perturbed(rows: Sequence[Comparison]) -> list[Pair]:
    return [
        Pair(
            f"{row.domain}, {row.condition}", row.mean_b, row.mean_a, f"{points(row.difference.mean)}, {_interval(row)}"
        )
        for row in rows
    ]


def worst(rows: Sequence[Comparison]) -> str:
    """The perturbation that costs most, in words."""
    if not rows:
        return ""
    row = rows[0]
    told = "may be chance" if row.result == "tie" else f"interval {_interval(row)}"
    return f"Worst: {row.domain} under {row.condition}, {points(row.difference.mean)} points ({told})."


def passes(runs: Mapping[str, EvalRun]) -> tuple[list[Pair], int]:
    """Of each suite the chance that one try succeeds and that all of k do; and that k, 0 where no item was asked twice."""
    most = max((int(k) for run in runs.values() for k in run.summary["pass"] if int(k) <= 4), default=0)
    found = [
        Pair(run.domain, run.summary["pass"]["1"], run.summary["pass"][str(most)])
        for run in runs.values()
        if most > 1 and str(most) in run.summary["pass"]
    ]
    return found, most if most > 1 else 0


def costs(named: Sequence[tuple[str, Mapping[str, EvalRun]]]) -> Markup:
    """Tokens, time and money of each solved item, a line a suite, a column a model."""
    suites = dict.fromkeys(suite for _, runs in named for suite in runs)
    heads = ["Suite", *(f"{what}, {place}" for what in ("Tokens/solved", "Latency", "Cost/solved") for place in "AB")]
    rows = []
    for suite in suites:
        mine = [runs.get(suite) for _, runs in named]
        rows.append(
            [ui.text(suite, limit=60), *(_cost(run, what) for what in ("tokens", "time", "money") for run in mine)]
        )
    heads = heads if len(named) == 2 else [head for head in heads if not head.endswith(", B")]
    return ui.table(heads, rows, numbers=tuple(range(1, len(heads))))


def _cost(run: EvalRun | None, what: str) -> str:
    if run is None:
        return ""
    found = run.summary
    if what == "tokens":
        return "–" if found["tokens_per_solved"] is None else f"{found['tokens_per_solved']:,.0f}"
    if what == "time":
        p50, p95 = found["seconds"]["p50"], found["seconds"]["p95"]
        return "–" if p50 is None else f"{p50:.1f} s ({p95:.1f})"
    return "–" if found.get("cost_per_solved") is None else f"{found['cost_per_solved']:.2g}"


def safety(named: Sequence[tuple[str, Mapping[str, EvalRun]]]) -> Markup:
    """The suites of safety, with what a model refuses."""
    rows = [
        (ui.text(name, limit=80), ui.text(run.suite, limit=60), _share(run), f"{run.summary['refusals']:,} of {run.summary['answers']:,}")
        for name, runs in named
        for run in runs.values()
        if run.domain.startswith(("safety", "alignment"))
    ]  # fmt: skip
    return (
        ui.table(("Model", "Suite", "As it should be", "Answers that refuse"), rows, numbers=(2, 3))
        if rows
        else Markup("")
    )


def _share(run: EvalRun) -> str:
    found = run.summary
    if found["mean"] is None:
        return "–"
    low, high = found["low"], found["high"]
    return f"{found['mean']:.0%}" + ("" if low is None or high is None else f" ({low:.0%} to {high:.0%})")


def transcript(title: str, told: Sequence[Told]) -> Markup:
    """What a model said to one item, epoch by epoch, as text and nothing else."""
    parts = [
        html(
            '<p class="sc-meta">epoch {} · {}{}</p><pre class="sc-said">{}</pre>', each.epoch,
            "no score" if each.score is None else f"score {each.score:g}", f" · {ui.text(each.why, limit=200)}" if each.why else "",
            verbatim(transcripts.text(each), limit=CHARACTERS),
        )
        for each in sorted(told, key=lambda each: each.epoch)[:4]
    ]  # fmt: skip
    body = join(parts) if parts else html('<p class="sc-faint">Its answers are not kept any more.</p>')
    return html('<h3 class="sc-title">{}</h3>{}', ui.text(title, limit=120), body)


def prompt(data_dir: Path, run: str, item: str) -> Markup:
    """What was asked, and what is right."""
    asked = transcripts.asked(data_dir, run).get(item)
    if asked is None:
        return html('<p class="sc-faint">The question is not kept any more.</p>')
    return html(
        '<pre class="sc-said">{}</pre><p class="sc-meta">right: {}</p>', verbatim(asked.prompt, limit=CHARACTERS),
        ui.text(asked.gold, limit=400),
    )  # fmt: skip
