"""Parts of the page Models: the verdict in words, rows for its charts, and two transcripts beside each other as plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from dashboard import ui
from dashboard.charts_evals import Apart, Pair, Scored, rate
from dashboard.evals_tables import letter
from dashboard.ui import html, join
from evals import transcripts
from evals.compare import Comparison, Report, asked, doubts, points, rest
from evals.core import SHOWN
from evals.journal import Told
from evals.summary import SOLVED
from evals.transcripts import Asked, Kind, Part
from scout.store.evals import EvalAlarm, EvalRun
from scout.text import verbatim

_TURN = re.compile(r"^(?:user|assistant|system): ", re.MULTILINE)
_OBJECT = re.compile(r"[A-Z]\w*\(")
"""How what is right begins where it was kept as a program has it, which tells a reader nothing."""
CHARACTERS = 8_000
"""So much of one text is shown."""
BESIDE = 3
"""So many models answer beside each other unless more are chosen."""


def verdict(report: Report) -> Markup:
    """In a sentence how the two stand; then where the first is better, worse, and what a tie could have shown, a line each."""
    lines = []
    for result, word in (("better", "better"), ("worse", "worse"), ("tie", "no detectable difference")):
        if rows := [pair for pair in _topics(report.rows) if pair[0].result == result]:
            first = next((row for row, _ in rows if row.detectable is not None and not _is_near(row)), None)
            told = join((_finding(row, name, is_first=row is first) for row, name in rows), "; ")
            lines.append(
                html('<p class="sc-verdict"><span class="sc-lane {}">{}</span> {}</p>', KINDS[result], word, told)
            )
    lines += [html('<p class="sc-faint">{}</p>', ui.text(doubt, limit=900)) for doubt in _doubts(report)]
    return html('<p class="sc-verdict-head">{}</p>{}', _head(report), join(lines))


def _head(report: Report) -> Markup:
    """`A is better than B at 2 of 10 suites and worse at 4.`"""
    a, b = (html("<b>{}</b>", ui.text(name, limit=120)) for name in (report.a, report.b))
    counts = {result: sum(row.result == result for row in report.rows) for result in KINDS}
    count = len(report.rows)
    what = "suites and perturbations" if any(row.condition for row in report.rows) else "suites"
    many = "the one suite that both were asked" if count == 1 else f"the {count} {what} that both were asked"
    if not counts["better"] and not counts["worse"]:
        return html("No difference between {} and {} was detected at {}.", a, b, many)
    said = " and ".join(f"{word} at {counts[word]}" for word in ("better", "worse") if counts[word])
    first, _, rest = said.partition(" ")
    return html("{} is {} than {} {} of {}.", a, first, b, rest, many)


def _doubts(report: Report) -> list[str]:
    """What speaks against the verdict, how the two were asked otherwise, and what was not compared."""
    everywhere, own = doubts(report)
    told = []
    if everywhere:
        least = f"; {rest(report, own)}" if own else ""
        told.append(f"Not to be trusted: {'; '.join(everywhere)}{least}.")
    elif own:
        reasons = [f"{suite} ({', '.join(why)})" for suite, why in own.items()]
        told.append(f"Not to be trusted: {'; '.join(reasons)}.")
    otherwise = dict.fromkeys(row.otherwise for row in report.rows if row.otherwise)
    told += [f"Asked otherwise: {how}." for how in otherwise]
    return told + ([f"Not compared: {'; '.join(report.refused)}."] if report.refused else [])


KINDS = {"better": "read", "worse": "worse", "tie": "skip"}


def _finding(row: Comparison, name: str, *, is_first: bool) -> Markup:
    name = ui.text(name, limit=80)
    if row.result == "tie":
        return html('{}<span class="sc-faint">, {}</span>', name, _could(row, is_first=is_first))
    return html('{} <b>{}</b><span class="sc-faint">, {}</span>', name, points(row.difference.mean), _interval(row))


def _could(row: Comparison, *, is_first: bool) -> str:
    """What a tie says; of the difference it could have shown, after the first of several, the figure alone."""
    if _is_near(row):
        return f"{points(row.difference.mean)}, {_interval(row)}, but p {row.p:.2g}"
    if row.detectable is not None:
        return f"{'which could have shown ' if is_first else ''}{100 * row.detectable:.1f}"
    if row.differ:
        return "which has too few items to tell"
    return {0.0: "where neither solves any", 1.0: "where both solve all"}.get(
        row.mean_a, "where both score alike throughout"
    )


def _is_near(row: Comparison) -> bool:
    """A tie though its interval leaves zero out: too few items differ, or too many suites were looked at, to be sure."""
    low, high = row.difference.interval
    return row.result == "tie" and math.isfinite(low) and (low > 0 or high < 0)


def _interval(row: Comparison) -> str:
    low, high = row.difference.interval
    return f"{points(low)} to {points(high)}" if math.isfinite(low) else "no interval"


def _topics(rows: Sequence[Comparison]) -> list[tuple[Comparison, str]]:
    """The largest difference first, each with what names it: its domain, and what was asked where several are of that domain."""
    domains = [row.domain for row in rows]
    return [
        (row, row.domain if domains.count(row.domain) == 1 and not row.condition else f"{row.domain} ({asked(row)})")
        for row in sorted(rows, key=lambda row: -abs(row.difference.mean))
    ]


def alarms(found: Sequence[EvalAlarm]) -> Markup:
    return join(
        html('<div class="sc-note">{}: {}</div>', alarm.kind, ui.text(alarm.text, limit=400)) for alarm in found
    )


def apart(rows: Sequence[Comparison]) -> list[Apart]:
    """For the forest plot: what is clear first, by size. Where both score alike on every item there is nothing to draw."""
    ordered = sorted(_topics(rows), key=lambda pair: (pair[0].result == "tie", -pair[0].difference.mean))
    return [
        Apart(
            name, row.difference.mean, *row.difference.interval, row.result,
            f"{points(row.difference.mean)} ({_interval(row)}){f', p {row.p:.2g}' if _is_near(row) else ''}",
            f"p {row.p:.2g}, {row.difference.n:,} items",
        )
        for row, name in ordered
        if math.isfinite(row.difference.low) and not _is_alike(row)
    ]  # fmt: skip


def undrawn(rows: Sequence[Comparison]) -> str:
    """Which suites the forest plot leaves out, and why; empty where it has them all."""
    alike = [name for row, name in _topics(rows) if _is_alike(row)]
    few = [name for row, name in _topics(rows) if not math.isfinite(row.difference.se) and not _is_alike(row)]
    told = [f"Both score alike on every item of {_listed(alike)}: nothing to draw."] if alike else []
    return " ".join([*told, *([f"Too few items to tell anything of {_listed(few)}."] if few else [])])


def _is_alike(row: Comparison) -> bool:
    return not row.differ


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def perturbed(rows: Sequence[Comparison]) -> list[Pair]:
    return [
        Pair(
            asked(row), row.mean_b, row.mean_a,
            "alike on every item" if _is_alike(row) else f"{points(row.difference.mean)} ({_interval(row)})",
        )
        for row in rows
    ]  # fmt: skip


def worst(rows: Sequence[Comparison]) -> str:
    """The perturbation that costs most, in words; the first of the rows."""
    row = rows[0]
    told = "may be chance" if row.result == "tie" else f"interval {_interval(row)}"
    return f"worst: {asked(row)}, {points(row.difference.mean)} points, {told}"


def passes(runs: Mapping[str, EvalRun]) -> tuple[list[Pair], int]:
    """Of each suite the chance that one try succeeds and that all of k do; and that k, 0 where no item was asked twice.

    A suite of which no try succeeded is left out.
    """
    most = max((int(k) for run in runs.values() for k in run.summary["pass"] if int(k) <= 4), default=0)
    found = [
        Pair(run.suite, run.summary["pass"]["1"], run.summary["pass"][str(most)])
        for run in runs.values()
        if most > 1 and str(most) in run.summary["pass"] and run.summary["pass"]["1"] > 0
    ]
    return found, most if most > 1 else 0


def scored(point: Scored) -> str:
    """A score with its interval."""
    spread = "" if point.low is None or point.high is None else f" ({rate(point.low)} to {rate(point.high)})"
    return f"{rate(point.mean)}{spread}"


def transcript(title: str, told: Sequence[Told], *, place: int) -> Markup:
    """What a model said to one item, epoch by epoch, as text and nothing else."""
    tries = [
        html(
            '<p class="sc-meta">epoch {} · {}{}</p>{}', each.epoch, "no score" if each.score is None else f"score {each.score:g}",
            f" · {ui.text(each.why, limit=200)}" if each.why else "", answer(each),
        )
        for each in sorted(told, key=lambda each: each.epoch)[:4]
    ]  # fmt: skip
    body = join(tries) if tries else html('<p class="sc-faint">Its answers are not kept any more.</p>')
    return html('<p class="sc-by">{} {}</p>{}', letter(place), ui.text(title, limit=120), body)


def shown(told: Told | None) -> Markup:
    """An answer to a reader's own question, with what its check said where it has one."""
    if told is None:
        return html('<p class="sc-faint">It was not asked this, or its answer is not kept any more.</p>')
    if told.score is None or told.why == SHOWN:
        return answer(told)
    kind, word = ("read", "right") if told.score >= SOLVED else ("worse", "wrong")
    why = ui.text(told.why, limit=200)
    return answer(told) + html(
        '<p class="sc-meta"><span class="sc-lane {}">{}</span> {}</p>', kind, word, "" if why in ("says", word) else why
    )


def answer(told: Told) -> Markup:
    """One answer: thinking folded away, calls and what tools said marked as such."""
    return join(_part(part) for part in transcripts.parts(told)) or html('<p class="sc-faint">It said nothing.</p>')


def _part(part: Part) -> Markup:
    said = html('<pre class="sc-said">{}</pre>', verbatim(part.text, limit=CHARACTERS))
    match part.kind:
        case Kind.THINKING:
            return html('<details class="sc-fold"><summary>Thinking</summary>{}</details>', said)
        case Kind.CALL:
            return html('<p class="sc-meta">calls <code>{}</code></p>{}', ui.text(part.name, limit=80), said)
        case Kind.RESULT:
            return html('<p class="sc-meta">the tool says</p>{}', said)
    return said


def question(asked: Asked) -> Markup:
    """What was asked. Who says it is named where there is more than one turn."""
    alone = asked.prompt.removeprefix("user: ")
    said = asked.prompt if _TURN.search(alone) else alone
    return html('<pre class="sc-said sc-asked">{}</pre>', verbatim(said, limit=CHARACTERS))


def prompt(data_dir: Path, run: str, item: str) -> Markup:
    """What was asked, and what is right."""
    asked = transcripts.asked(data_dir, run).get(item)
    if asked is None:
        return html('<p class="sc-faint">The question is not kept any more.</p>')
    if not asked.gold or _OBJECT.match(asked.gold):
        return question(asked)
    return html('{}<p class="sc-meta">right: {}</p>', question(asked), ui.text(asked.gold, limit=400))
