"""What the model found out about an item by reading on: its brief, how it got there, and the button that asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import streamlit as st
from markupsafe import Markup

from dashboard import PAGES, actions, ui
from dashboard.session import Here, params
from dashboard.ui import html, join
from scout.agent.brief import Brief, Claim
from scout.agent.transcript import Step, StepKind
from scout.items import ItemId
from scout.serving.messages import ToolCall
from scout.serving.verdicts import label_of
from scout.store import Store
from scout.store.jobs import JobState
from scout.store.research import ResearchRow

_LONG = 2_500
"""Characters of one step of a transcript that are shown."""
_ENDINGS = {
    "rounds": "asked to answer at the limit of rounds",
    "tokens": "asked to answer at the limit of tokens",
    "time": "asked to answer at the limit of time",
    "malformed": "ended without a brief: three calls in a row could not be used",
    "no-answer": "ended without a brief: the last round gave none",
}


@dataclass(frozen=True, slots=True)
class Found:
    """The newest research of an item, and the newest brief."""

    newest: ResearchRow | None
    steps: tuple[Step, ...]
    brief: Brief | None
    is_asked: bool
    """A job for it waits or runs."""


def found(store: Store, item: ItemId) -> Found:
    rows = store.researches.of(item)
    newest = rows[0] if rows else None
    answered = store.researches.answered(item)
    steps = tuple(Step.from_dict(step) for step in store.researches.steps(newest.id)) if newest else ()
    brief = Brief.from_dict(answered.brief) if answered and answered.brief else None
    is_asked = any(
        job.kind == "research" and job.payload.get("item") == item and job.state in (JobState.QUEUED, JobState.RUNNING)
        for job in store.jobs.active()
    )
    return Found(newest, steps, brief, is_asked)


def section(here: Here, item: ItemId) -> None:
    """The section of the item page; nothing at all where there is neither a model nor a research."""
    with here.store() as store:
        what = found(store, item)
    has_model = bool(here.settings.model.base_urls)
    if what.newest is None and not has_model:
        return
    ui.section("Research", _aside(what, label_of(here.settings.data_dir, by=what.newest.model if what.newest else "")))
    if what.brief:
        ui.show(brief(what.brief))
        for base in what.brief.builds_on:
            st.page_link(
                PAGES / "item.py",
                label=ui.md(f"Builds on {base.item}: {base.how}"),
                query_params=params(here, item=base.item),
            )
    if what.newest and what.newest.message:
        ui.note(f"It waits for the model: {what.newest.message}", limit=200)
    if what.steps:
        with st.expander(f"Transcript, {sum(step.kind is StepKind.REPLY for step in what.steps)} rounds"):
            ui.show(join(_step(step) for step in what.steps))
    if has_model:
        st.button(
            _label(what), icon=":material/travel_explore:", key="research", disabled=what.is_asked, on_click=actions.ask,
            args=(here, "research", {"item": item, "again": what.brief is not None}),
        )  # fmt: skip


def _aside(what: Found, label: str) -> str:
    if what.newest is None:
        return "the model reads on and writes a brief that cites what it read"
    by = f"by {ui.text(what.newest.model, limit=60)}" if what.newest.model else ""
    state = _ENDINGS.get(what.newest.ending, "") if what.newest.finished else "not finished"
    return ", ".join(part for part in (by, label, state) if part)


def _label(what: Found) -> str:
    if what.is_asked:
        return "Under way"
    if what.newest and what.newest.finished is None:
        return "Go on"
    return "Research again" if what.brief else "Research this"


def brief(told: Brief) -> Markup:
    parts = [html("<ul>{}</ul>", join(_claim(claim) for claim in told.claims))]
    for name, lines in (("Open questions", told.open_questions), ("To try the code", told.try_code)):
        if lines:
            items = join(html("<li>{}</li>", ui.text(text)) for text in lines)
            parts.append(html("<h3>{}</h3><ul>{}</ul>", name, items))
    if told.dropped:
        count = f"{len(told.dropped)} statements were dropped, as nothing that was read bears them out"
        gone = join(html("<li>{} ({})</li>", ui.text(part.text), ui.text(part.why)) for part in told.dropped)
        parts.append(html('<details class="sc-note"><summary>{}</summary><ul>{}</ul></details>', count, gone))
    return join(parts)


def _claim(claim: Claim) -> Markup:
    cites = join(
        html(
            '<details class="sc-faint"><summary>{} {}</summary>{}</details>', ui.text(each.place, limit=120),
            ", ".join(map(str, each.numbers)), ui.text(each.quote),
        )
        for each in claim.evidence
    )  # fmt: skip
    return html("<li>{}{}</li>", ui.text(claim.text), cites)


def _step(step: Step) -> Markup:
    """One step, for people: everything in it is somebody else's words, escaped."""
    names = {
        StepKind.OPENING: "Asked",
        StepKind.REPLY: "Model",
        StepKind.RESULT: "Found",
        StepKind.REMARK: "Told",
        StepKind.FAULT: "Fault",
    }
    said = step.message
    parts: list[Markup] = []
    if said and said.reasoning:
        parts.append(html("<p><i>{}</i></p>", ui.text(said.reasoning, limit=_LONG)))
    if said and said.content:
        parts.append(html("<p>{}</p>", ui.text(said.content, limit=_LONG)))
    if said:
        parts += [html("<p><code>{}</code></p>", ui.text(_call(call), limit=_LONG)) for call in said.tool_calls]
    if not parts and step.text:
        parts.append(html("<p>{}</p>", ui.text(step.text)))
    return html('<div><b class="sc-faint">{}</b>{}</div>', names[step.kind], join(parts))


def _call(call: ToolCall) -> str:
    try:
        given = ", ".join(f"{name}={value!r}" for name, value in json.loads(call.arguments).items())
    except (ValueError, AttributeError):
        given = call.arguments
    return f"{call.name}({given})"
