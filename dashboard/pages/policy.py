"""Who decides for this reader: how well, how that was measured, who challenged, and every change of who serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from markupsafe import Markup

from dashboard import actions, charts, charts_evals, policy_data, ui
from dashboard.drawing import draw
from dashboard.policy_data import PolicyPage
from dashboard.session import Here
from dashboard.session import here as who_reads
from dashboard.ui import html
from scout import adapters
from scout.digest.wording import plural
from scout.store.promotions import Challenge, Promotion

FIGURES = {
    "auc": "AUC", "average_precision": "Average precision", "p_at_10": "P@10", "recall_at_20": "Recall@20",
    "ece": "Calibration error", "brier_skill": "Brier skill",
}  # fmt: skip
ACTIONS = {"promote": "promoted", "rollback": "rolled back", "restore": "restored"}


def roll_back(here: Here) -> None:
    with actions.told(), here.store() as store:
        actions.need_admin(here)
        adapters.rollback(store, here.settings, here.reader, by=actions.ORIGIN)


def restore(here: Here) -> None:
    with actions.told(), here.store() as store:
        actions.need_admin(here)
        adapters.restore(store, here.settings, here.reader, by=actions.ORIGIN)


def well(page: PolicyPage) -> None:
    """Agreement over time, and what was foreseen against what came."""
    ui.section("How well it knows you", "from your thumbs on what was put before you")
    left, right = st.columns(2, gap="large")
    with left:
        share = charts.share(page.agreement)
        st.metric(
            "Agreement", charts_evals.rate(share) if share is not None else "not yet", width="content",
            help="How often your thumb said what the policy had said, where it was sure",
        )  # fmt: skip
        if len(page.agreement) > 1:
            draw(charts.agreement, page.agreement, alt="Agreement of the policy with your thumbs, by digest")
    with right:
        st.metric(
            "Calibration error", charts_evals.rate(page.error) if page.error is not None else "not yet", width="content",
            help="How far, in the mean, the share of thumbs up is from what was foreseen",
        )  # fmt: skip
        if page.reliability:
            draw(charts.reliability, page.reliability, alt="What was foreseen against the thumbs that came")
        else:
            st.caption(f"{policy_data.LEAST} thumbs on what was shown, and this plots what was foreseen against them.")


def measured(page: PolicyPage) -> None:
    ui.section("Measured on real picks", "by scout eval triage")
    figures = policy_data.figures_of(page.measures)
    if not figures:
        ui.show(
            html(
                '<p class="sc-faint">{}</p>', ui.with_code("Nothing kept yet: `scout eval triage` keeps what it finds.")
            )
        )
        return
    settings = policy_data.settings_of(page.measures)
    asked = st.selectbox(
        "Measured on", settings, key="measured-on", format_func=lambda asked: ui.text(asked), label_visibility="collapsed",
        width=420,
    )  # fmt: skip
    figure = st.pills(
        "Figure", figures, default=figures[0], key="figure", format_func=lambda name: FIGURES.get(name, ui.text(name)),
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    points = [
        point
        for point in page.measures
        if point.figure == (figure or figures[0]) and point.asked == (asked or settings[0])
    ]
    draw(charts.measures, points, alt="The measure over time, a line a policy")


def challenges(here: Here, page: PolicyPage) -> None:
    ui.section("Challenges", "another recipe meets the one that serves, on your later thumbs")
    if page.newer_default:
        said = f"{page.newer_default} is what new readers start with. It challenges once a week, after `scout run`."
        ui.show(html('<p class="sc-faint">{}</p>', ui.with_code(said)))
    if not page.challenges:
        said = "None yet. `scout policy challenge RECIPE` lets one try; it changes nothing by itself."
        ui.show(html('<p class="sc-faint">{}</p>', ui.with_code(said)))
        return
    for each in page.challenges[:5]:
        with st.container(border=True, gap="xsmall", key=f"challenge-{each.id}"):
            ui.show(challenge(here, each))


def challenge(here: Here, each: Challenge) -> Markup:
    """One challenge: who, when, the verdict, and its evidence as figures."""
    found = each.evidence
    verdict, kind = ("passed", "read") if each.passed else ("not passed", "skip" if found.get("decided") else "unsure")
    facts: list[tuple[str, str | Markup]] = [
        ("Held-out thumbs", f"{found['thumbs']} ({found['ups']} up) on {plural(found['days'], 'day')}"),
        ("Log-loss", compared(found.get("log_loss"))),
        ("AUC", compared(found.get("auc"))),
        ("Needed", f"about {found['needed']} thumbs for a difference of this size" if found.get("needed") else ""),
        ("Would have shown", would_have(found, each.challenger)),
    ]
    return html(
        '<div class="sc-row"><span class="sc-lane {}">{}</span><b>{}</b><span class="sc-faint">against {}, {}</span></div>'
        '<p class="sc-small">{}.</p>{}',
        kind, verdict, ui.text(each.challenger), ui.text(each.champion), ui.clock_time(each.at, here.zone),
        capital(ui.text(str(found["reason"]))), ui.pairs(facts),
    )  # fmt: skip


def compared(measure: Mapping[str, float | None] | None) -> str:
    """Both figures, how much better the challenger is, and how sure that is."""
    if not measure:
        return ""
    low, high = figure(measure["low"], "+.3f"), figure(measure["high"], "+.3f")
    return (
        f"{figure(measure['champion'])} → {figure(measure['challenger'])}, a gain of {figure(measure['better'], '+.3f')} "
        f"({low} to {high}), p {figure(measure['p'], '.2g')}"
    )


def would_have(evidence: Mapping[str, Any], challenger: str) -> str:
    """The off-policy estimate, with its first warning."""
    found = policy_data.worth(evidence, challenger)
    if not found or not found.get("dr"):
        return ""
    dr, shown = found["dr"], (evidence["off_policy"]["as_shown"].get("dr") or {}).get("value")
    told = (
        f"{figure(dr['value'], '.0%')} thumbs up per slot ({figure(dr['low'], '.0%')} to {figure(dr['high'], '.0%')})"
    )
    if shown is not None:
        told += f"; what was shown had {figure(shown, '.0%')}"
    return told + "".join(f". {capital(warning)}" for warning in found["warnings"][:1])


def capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def figure(value: float | None, form: str = ".3f") -> str:
    return "unknown" if value is None else format(value, form).replace("-", "−")


def changes(here: Here, page: PolicyPage) -> None:
    ui.section("Changes", "of who decides for you, refits left out")
    with st.container(horizontal=True, vertical_alignment="center", key="changes"):
        if here.is_admin and page.can_roll_back:
            st.button(
                f"Roll back to {ui.md(page.can_roll_back.from_recipe)}", icon=":material/undo:", key="roll-back",
                on_click=roll_back, args=(here,),
            )  # fmt: skip
        if here.is_admin and page.can_restore:
            st.button("Undo the rollback", icon=":material/redo:", key="restore", on_click=restore, args=(here,))
    if not page.promotions:
        st.caption("None: the recipe you began with still serves you.")
        return
    rows = [change(here, each) for each in page.promotions[:10]]
    ui.show(ui.table(("When", "What", "Who serves", "Why", "By"), rows))


def change(here: Here, each: Promotion) -> tuple[str, ...]:
    why = "forced, without a passed gate" if each.forced else ui.text(str(each.evidence.get("reason") or ""))
    said = " · ".join(filter(None, (why, ui.text(each.why))))
    serves = f"{ui.text(each.recipe)} in place of {ui.text(each.from_recipe)}"
    return ui.clock_time(each.at, here.zone), ACTIONS[each.action], serves, said, each.by


here = who_reads()
with here.store() as store:
    page = policy_data.policy_page(store, here.reader)

st.title("Policy", anchor=False)
if message := actions.trouble():
    ui.trouble(message)
if page is None:
    ui.empty("Nothing decides for you yet", "The first daily run fits a policy; this page then says how good it is.")
    st.stop()
st.caption(
    f"{ui.md(page.recipe)} decides for you: version {ui.md(page.version)}, fitted "
    f"{ui.clock_time(page.made_at, here.zone)} on {plural(page.thumbs, 'thumb')}. Every run refits it on what you say."
)
well(page)
measured(page)
challenges(here, page)
changes(here, page)
