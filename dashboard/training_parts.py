"""Parts of the Training page as markup: runs, the precision table, samples with their rewards, alarms, who reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard import training, ui
from dashboard.training import Overview
from dashboard.ui import html, join
from scout.store.promotions import Challenge, Promotion
from scout.store.training import AlarmRow, ParityRow, SampleRow, TrainingRun

ACTIONS = {"promote": "promoted", "rollback": "rolled back", "restore": "restored"}
TEXT = 700
"""Characters shown of a text that an answer is about."""


def runs(found: Overview, zone: str) -> Markup:
    head = ("Started", "Run", "Loss", "Steps", "Thumbs", "Ended", "Adapter")
    return ui.table(head, [_run(each, found, zone) for each in found.runs[:12]], numbers=(3,))


def _run(run: TrainingRun, found: Overview, zone: str) -> tuple[str | Markup, ...]:
    kind, word = training.ENDS[run.state]
    reads = html(' <span class="sc-lane read">reads</span>') if run.version and run.version == found.reads else ""
    return (
        ui.clock_time(run.started, zone), ui.text(run.id), ui.text(run.recipe), f"{found.done.get(run.id, 0)} of {run.planned}",
        training.thumbs(run), html('<span class="sc-dot {}"></span>{}', kind, word),
        html("{}{}", ui.text(run.version) or "none", reads),
    )  # fmt: skip


def about(run: TrainingRun) -> Markup:
    """What a run was made of and how it ended."""
    told = run.facts
    since = told.get("held_out_since") or ""
    parity = told.get("parity") or {}
    return ui.pairs(
        [
            ("Began with", ui.text(run.base)), ("Seed", str(run.seed)), ("Judged by", f"thumbs from {since} on" if since else ""),
            ("Parity", ui.text(parity.get("verdict") or "no fault") if parity else "not checked"),
            ("Ended", ui.with_code(ui.text(run.message, limit=600)) if run.message else ""),
        ]
    )  # fmt: skip


def precision(check: ParityRow) -> Markup:
    """The 2×2 table of head precision, as `scout rl parity` kept it."""
    name = {True: "FP32", False: check.body}
    rows = [
        (
            name[bool(row["server_fp32"])] if "server_fp32" in row else "its own", name[bool(row["trainer_fp32"])],
            *(_figure(row["mismatch"], key, form) for key, form in _FIGURES.values()),
        )
        for row in training.table(check)
    ]  # fmt: skip
    head = ("Server head", "Trainer head", *_FIGURES)
    return ui.table(head, rows, numbers=range(2, len(head)))


_FIGURES = {
    "Mean |Δ|": ("mean", ".5f"), "p99": ("p99", ".4f"), "Largest": ("largest", ".4f"), "k1": ("k1", "+.5f"), "k3": ("k3", ".2g"),
    "Correlation": ("correlation", ".6f"), "Largest ratio": ("ratio_max", ".3f"), "ESS": ("effective", ".4f"),
}  # fmt: skip


def _figure(told: Mapping[str, Any], key: str, form: str) -> str:
    value = told.get(key)
    return "none" if value is None else format(value, form).replace("-", "−")


def verdict(check: ParityRow, zone: str) -> Markup:
    kind, word = ("worse", check.verdict) if check.verdict else ("read", "no fault: what differs is rounding")
    return html(
        '<p class="sc-verdict"><span class="sc-lane {}">{}</span> {}</p><p class="sc-faint">{}, {} tokens, {}</p>',
        kind, "fault" if check.verdict else "agree", ui.text(word), ui.text(check.checkpoint), check.tokens,
        ui.clock_time(check.at, zone),
    )  # fmt: skip


def samples(rows: Sequence[tuple[SampleRow, str]]) -> Markup:
    """Answers as plain text, with what each was worth by part, the best first."""
    ordered = sorted(rows, key=lambda pair: -pair[0].reward)
    return join(_sample(row, title) for row, title in ordered)


def _sample(row: SampleRow, title: str) -> Markup:
    worth = join(
        (
            html(
                '<span class="sc-chip">{} <span class="sc-meter"><i style="width:{}%"></i></span>{}</span>',
                name, round(100 * min(1.0, max(0.0, value))), f"{value:.2f}",
            )
            for name, value in (("reward", row.reward), *row.parts.items())
        ),
    )  # fmt: skip
    return html(
        '<details class="sc-sample"><summary><b>{}</b> <span class="sc-faint">{}</span><div class="sc-row">{}</div></summary>'
        '<p class="sc-small">{}</p></details>',
        ui.text(row.answer, limit=300) or "(nothing)", ui.text(title or row.item, limit=120), worth,
        ui.text(row.source, limit=TEXT),
    )  # fmt: skip


def alarms(rows: Sequence[AlarmRow], zone: str) -> Markup:
    head = ("When", "Run", "Step", "Kind", "Evidence")
    return ui.table(
        head,
        [
            (ui.clock_time(each.at, zone), ui.text(each.run), str(each.step), ui.text(each.kind), ui.text(each.evidence, limit=600))
            for each in rows
        ],
        numbers=(2,),
    )  # fmt: skip


def challenge(each: Challenge, zone: str) -> Markup:
    found = each.evidence
    told, kind = ("passed", "read") if each.passed else ("not passed", "skip" if found.get("decided") else "unsure")
    reason = ui.text(str(found.get("reason") or ""), limit=1_000)
    return html(
        '<div class="sc-row"><span class="sc-lane {}">{}</span><b>{}</b><span class="sc-faint">against {}, {}</span></div>'
        '<p class="sc-small">{}.</p>',
        kind, told, ui.text(_short(each.challenger)), ui.text(_short(each.champion)), ui.clock_time(each.at, zone),
        reason[:1].upper() + reason[1:],
    )  # fmt: skip


def promotions(rows: Sequence[Promotion], zone: str) -> Markup:
    return ui.table(
        ("When", "What", "Reads now", "Read before", "Why", "By"),
        [
            (
                ui.clock_time(each.at, zone), ACTIONS[each.action], ui.text(_short(each.recipe)), ui.text(_short(each.from_recipe)),
                "forced, without a passed gate" if each.forced else ui.text(each.why), each.by,
            )
            for each in rows
        ],
    )  # fmt: skip


def _short(recipe: str) -> str:
    name = recipe.removeprefix("adapter:")
    return "the model itself" if name == "none" else name
