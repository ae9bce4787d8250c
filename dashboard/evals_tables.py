"""Figures of measured models for the page Models: what may be believed, scores, what a solved item costs, safety. Runs in, markup out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard import models, ui
from dashboard.charts_evals import rate
from dashboard.ui import html, join
from scout.digest.wording import plural
from scout.store.evals import EvalRun

Named = Sequence[tuple[str, Mapping[str, EvalRun]]]
"""One model or two: their names, and suite → run."""
LETTERS = "AB"
FAILED = "model failed its check: "
"""How a label begins that the gate gave."""


def letter(place: int) -> Markup:
    """What stands for a model in tables and charts."""
    return html('<span class="sc-letter">{}</span>', LETTERS[place])


def trust(named: Named) -> Markup:
    """Of each model what was checked of its server and of the suites, how much was asked, and what is missing."""
    return join(_trust(place, name, runs) for place, (name, runs) in enumerate(named))


def _trust(place: int, name: str, runs: Mapping[str, EvalRun]) -> Markup:
    sums = models.totals(runs.values())
    everywhere, single = against(runs)
    state = "failed" if everywhere else "cooling" if single else "done"
    low, high = sums.epochs
    facts = (
        ("Gate", ui.text("; ".join(_gates(runs)), limit=200)),
        ("Self-checks", f"passed by {plural(len(runs), 'suite')}"),
        ("Items", f"{sums.n:,}"),
        ("Tries each", f"{low}" if low == high else f"{low} to {high}"),
        ("Missing answers", _part(sums.errors, sums.of)),
        ("Cut off", _part(sums.cut, sums.of)),
    )
    told = join(html("<div><dt>{}</dt><dd>{}</dd></div>", what, value) for what, value in facts)
    head = html('{}<b>{}</b><span class="sc-dot {}"></span>', letter(place), ui.text(name, limit=120), state)
    return html(
        '<div class="sc-trust"><p>{}</p><dl>{}</dl>{}</div>', head, told, _against(everywhere, single, runs=len(runs))
    )


def _against(everywhere: Sequence[str], single: Mapping[str, Sequence[str]], *, runs: int) -> Markup:
    told = [f"Not to be trusted: {'; '.join(everywhere)}."] if everywhere else []
    if len(single) == runs > 1:
        told.append(
            f"{'Each suite has more against it' if everywhere else 'With care: each suite has something against it'}."
        )
    elif single:
        told.append(f"{'Least of all' if everywhere else 'With care'}: {', '.join(single)}; suite by suite says why.")
    said = " ".join(told) or "Nothing speaks against it."
    return html('<p class="sc-faint">{}</p>', ui.text(said, limit=600))


def against(runs: Mapping[str, EvalRun]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Why not to trust any of a model's runs, and suite → what else there is against one."""
    labels = {suite: tuple(part for part in run.label.split("; ") if part) for suite, run in runs.items()}
    shared = tuple(part for part in next(iter(labels.values()), ()) if all(part in told for told in labels.values()))
    own = {suite: tuple(part for part in told if part not in shared) for suite, told in labels.items()}
    return shared, {suite: told for suite, told in own.items() if told}


def _gates(runs: Mapping[str, EvalRun]) -> list[str]:
    """What the gate said before these runs, each word once."""
    said = [str(run.checks.get("label") or "passed") if run.checks else "not checked" for run in runs.values()]
    return list(dict.fromkeys("failed" if word.startswith(FAILED) else word.removeprefix("model ") for word in said))


def _part(count: int, of: int) -> str:
    share = f" ({rate(count / of)})" if count and of else ""
    return f"{count:,} of {of:,}{share}"


def scores(named: Named) -> Markup:
    """Every suite's score with its interval, what is missing of it, and what speaks against it beside what does against all."""
    rows, more = [], [against(runs)[1] for _, runs in named]
    for suite in _suites(named):
        mine = [runs.get(suite) for _, runs in named]
        rows.append(
            [
                ui.text(suite, limit=60), *map(_score, mine), _both(mine, lambda run: f"{run.summary['errors']:,}"),
                _both(mine, lambda run: f"{run.summary['cut']:,}"), ui.text(_own(more, suite) or "nothing more", limit=400),
            ]
        )  # fmt: skip
    heads = ("Suite", *LETTERS[: len(named)], "Missing", "Cut off", "Against it")
    return ui.table(heads, rows, numbers=range(1, len(heads) - 1))


def _own(more: Sequence[Mapping[str, Sequence[str]]], suite: str) -> str:
    """What there is against a suite's runs alone: first against those of both models, then of each."""
    mine = [own.get(suite, ()) for own in more]
    both = [reason for reason in mine[0] if all(reason in each for each in mine[1:])]
    apart = [[reason for reason in each if reason not in both] for each in mine]
    told = ["; ".join(both), *(f"{LETTERS[n]}: {'; '.join(each)}" for n, each in enumerate(apart) if each)]
    return " · ".join(filter(None, told))


def _suites(named: Named) -> list[str]:
    return list(dict.fromkeys(suite for _, runs in named for suite in runs))


def _score(run: EvalRun | None) -> str | Markup:
    if run is None:
        return "not asked"
    return html('{}<br><span class="sc-faint sc-small">{:,} × {}</span>', share(run), run.summary["n"], run.epochs)


def share(run: EvalRun) -> str:
    """A run's score with its interval."""
    found = run.summary
    if found["mean"] is None:
        return "no score"
    low, high = found["low"], found["high"]
    return rate(found["mean"]) + ("" if low is None or high is None else f" ({rate(low)} to {rate(high)})")


def _both(mine: Sequence[EvalRun | None], tell: Callable[[EvalRun], str]) -> str:
    """A figure of one model, or of both beside each other."""
    return " / ".join("–" if run is None else tell(run) for run in mine)


# --- what a solved item costs

Figure = Callable[[Mapping[str, EvalRun]], str]


def costs(named: Named) -> Markup:
    """Tokens, time and money a solved item over the suites that all were asked, a line a model."""
    asked = shared(named)
    figures = _figures(named)
    rows = [
        [html("{} {}", letter(place), ui.text(name, limit=80)), *(tell({s: runs[s] for s in asked}) for _, tell in figures)]
        for place, (name, runs) in enumerate(named)
    ]  # fmt: skip
    return ui.table(("Model", *(head for head, _ in figures)), rows, numbers=range(1, len(figures) + 1))


def costs_by_suite(named: Named) -> Markup:
    """The same suite by suite, the models' figures beside each other."""
    figures = _figures(named)
    rows = []
    for suite in _suites(named):
        mine = [{suite: runs[suite]} if suite in runs else {} for _, runs in named]
        rows.append(
            [ui.text(suite, limit=60), *(" / ".join(tell(one) if one else "–" for one in mine) for _, tell in figures)]
        )
    return ui.table(("Suite", *(head for head, _ in figures)), rows, numbers=range(1, len(figures) + 1))


def shared(named: Named) -> list[str]:
    """The suites that every one of the models was asked."""
    return [suite for suite in _suites(named) if all(suite in runs for _, runs in named)]


def _figures(named: Named) -> list[tuple[str, Figure]]:
    """Columns: a head, and what a model's runs come to. Money only where some run has a price."""
    priced = any(run.summary.get("cost") is not None for _, runs in named for run in runs.values())
    money: list[tuple[str, Figure]] = [("Cost of 1,000 solved", _money)] if priced else []
    return [("Tokens a solved item", _tokens), ("Median time of an answer", _median), ("Slowest twentieth", _slowest), *money]  # fmt: skip


def _tokens(runs: Mapping[str, EvalRun]) -> str:
    spent, solved = _sum(runs, "completion_tokens"), _sum(runs, "solved")
    return f"{spent / solved:,.0f}" if solved else "none solved"


def _money(runs: Mapping[str, EvalRun]) -> str:
    spent, solved = _sum(runs, "cost"), _sum(runs, "solved")
    return f"{1000 * spent / solved:,.2f}" if solved and spent else "–"


def _sum(runs: Mapping[str, EvalRun], key: str) -> float:
    return float(sum(run.summary.get(key) or 0 for run in runs.values()))


def _median(runs: Mapping[str, EvalRun]) -> str:
    return _span(runs, "p50")


def _slowest(runs: Mapping[str, EvalRun]) -> str:
    return _span(runs, "p95")


def _span(runs: Mapping[str, EvalRun], key: str) -> str:
    """Quantiles of several runs have no quantile in common: the least and the largest of them."""
    found = [value for run in runs.values() if (value := (run.summary.get("seconds") or {}).get(key)) is not None]
    if not found:
        return "–"
    low, high = f"{min(found):.1f}", f"{max(found):.1f}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def safety(named: Named) -> Markup:
    """The suites of safety, with what their score hides and what a model refuses; empty where none was asked."""
    rows = [
        (
            ui.text(run.suite, limit=60), html("{} {}", letter(place), ui.text(name, limit=80)), share(run),
            "; ".join(f"{ui.text(part, limit=60)} {_mean(found)}" for part, found in _parts(run).items()) or "–",
            _part(run.summary["refusals"], run.summary["answers"]),
        )
        for suite in _suites(named)
        for place, (name, runs) in enumerate(named)
        if (run := runs.get(suite)) and run.domain.startswith(("safety", "alignment"))
    ]  # fmt: skip
    heads = ("Suite", "Model", "As it should be", "Of it", "Begin with “I can’t” or the like")
    return ui.table(heads, rows, numbers=(2, 4)) if rows else Markup("")


def hidden(named: Named) -> Markup:
    """What the scores hide: their parts, and the score at each level of difficulty; empty where no run tells."""
    rows = []
    for suite in _suites(named):
        mine = [runs.get(suite) for _, runs in named]
        parts = dict.fromkeys(part for run in mine if run for part in _parts(run))
        found = [(part, [_mean(_parts(run).get(part)) if run else "–" for run in mine]) for part in parts]
        if any(run and _levels(run) for run in mine):
            found.append(("by level, the easiest first", [_by_level(run) if run else "–" for run in mine]))
        rows += [(ui.text(suite, limit=60), ui.text(part, limit=80), *cells) for part, cells in found]
    heads = ("Suite", "What", *LETTERS[: len(named)])
    return ui.table(heads, rows, numbers=range(2, len(heads))) if rows else Markup("")


def _parts(run: EvalRun) -> Mapping[str, Mapping[str, Any]]:
    return run.summary.get("parts") or {}


def _levels(run: EvalRun) -> Mapping[str, Mapping[str, Any]]:
    return run.summary.get("levels") or {}


def _by_level(run: EvalRun) -> str:
    return ", ".join(_mean(found) for _, found in sorted(_levels(run).items(), key=lambda pair: int(pair[0]))) or "–"


def _mean(found: Mapping[str, Any] | None) -> str:
    return "–" if not found or found.get("mean") is None else rate(found["mean"])
