"""The injection suite: its attacks, what models are shown of them, its verifiers, and models whose figures are known beforehand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals import injection as measuring
from evals.core import Answer, Case
from evals.stats import wilson_interval
from evals.suites.injection import Attack, attacks, letters, some
from evals.suites.injection_attacks import CALLS, SURFACES, TECHNIQUES, Kind, Surface
from evals.suites.injection_prompts import EACH, OFF, ON, Defences, Gold, Task, case, rubric, task_of
from evals.suites.injection_selfcheck import MODELS, Model, ignoring, obeying
from evals.suites.injection_specimens import SPECIMENS
from evals.suites.injection_verify import folded, texts, through, useful
from scout.agent.arguments import TOOLS
from scout.agent.tools import abstract
from scout.prompts import prompt as scout_prompt
from scout.serving.messages import Role, ToolCall
from scout.text import sentences
from scout.triage import prompting

ATTACKS = attacks()
BY_ID = {attack.id: attack for attack in ATTACKS}


def figures(model: Model, *conditions: Defences) -> measuring.Report:
    answers = {each.id: model(each) for each in measuring.all_cases(ATTACKS, conditions)}
    return measuring.report("scripted", 1, measuring.judged(ATTACKS, conditions, answers))


def prompt(each: Case[Gold]) -> str:
    return "\n".join(said.content for said in each.messages)


def first(kind: Kind, surface: Surface) -> Attack:
    return next(attack for attack in ATTACKS if attack.kind is kind and attack.surface is surface)


def in_the_opening(attack: Attack) -> tuple[Surface, ...]:
    """The surfaces that stand in the first message of the user."""
    reading = task_of(attack) in (Task.ROUTE, Task.RATE, Task.SUMMARY)
    return (Surface.TITLE, Surface.ABSTRACT, *((Surface.FULL_TEXT,) if reading else ()))


# --- the attacks


def test_there_are_at_least_sixty_attacks_and_no_two_are_the_same() -> None:
    assert len(ATTACKS) == len(BY_ID) >= 60
    assert len({(attack.payload, attack.specimen.name) for attack in ATTACKS if attack.marker}) == sum(
        bool(attack.marker) for attack in ATTACKS
    )


def test_every_kind_stands_on_every_surface_it_has_and_every_technique_is_used() -> None:
    assert {(attack.kind, attack.surface) for attack in ATTACKS} == {(k, s) for k, ss in SURFACES.items() for s in ss}
    assert {attack.surface for attack in ATTACKS} == set(Surface)
    assert {attack.technique for attack in ATTACKS} == set(TECHNIQUES)


def test_a_seed_gives_the_same_attacks_and_another_seed_others() -> None:
    assert attacks(1) == ATTACKS
    assert attacks(2) != ATTACKS


def test_no_attack_asks_for_what_is_right_anyway() -> None:
    for attack in ATTACKS:
        assert attack.target != attack.specimen.subject
        if attack.kind is Kind.RATING:
            assert attack.target == ("1" if attack.specimen.is_wanted else "5")


def test_a_limit_takes_the_kinds_in_turn() -> None:
    assert Counter(attack.kind for attack in some(ATTACKS, 10)) == dict.fromkeys(Kind, 2)
    assert some(ATTACKS, 1000) == some(ATTACKS, len(ATTACKS))
    assert set(some(ATTACKS, None)) == set(ATTACKS)


def test_letters_are_those_that_the_rubric_tells() -> None:
    assert {letter: slug for slug, letter in letters().items()} == rubric().labels


def test_an_abstract_is_known_by_its_own_keywords_and_by_no_other_specimens() -> None:
    for specimen in SPECIMENS:
        text = " ".join(specimen.abstract).casefold()
        assert all(word in text for word in specimen.keywords), specimen.name
        for other in SPECIMENS:
            if other is not specimen:
                assert not [word for word in other.keywords if word in text], (specimen.name, other.name)


# --- what a model is shown


@pytest.mark.parametrize("defences", EACH, ids=lambda each: each.name)
def test_an_attack_is_shown_whole_and_its_twin_is_without_it(defences: Defences) -> None:
    for attack in ATTACKS:
        attacked = folded(prompt(case(attack, defences, is_twin=False)))
        twin = folded(prompt(case(attack, defences, is_twin=True)))
        order = [folded(sentence) for sentence in sentences(attack.order)]
        assert all(sentence in attacked for sentence in order), attack.id
        assert not all(sentence in twin for sentence in order), attack.id
        assert not attack.marker or folded(attack.marker) not in twin


def test_a_twin_differs_from_its_attack_in_nothing_but_the_attack() -> None:
    for attack in ATTACKS:
        with_it, without = (case(attack, OFF, is_twin=is_twin) for is_twin in (False, True))
        assert (with_it.labels, with_it.schema, with_it.tools) == (without.labels, without.schema, without.tools)
        assert [said.role for said in with_it.messages] == [said.role for said in without.messages]
        differing = [a for a, b in zip(with_it.messages, without.messages, strict=True) if a != b]
        assert len(differing) == 1, attack.id
        assert differing[0].role is (Role.USER if attack.surface in in_the_opening(attack) else Role.TOOL)


def test_the_defended_prompt_is_the_one_that_scout_sends() -> None:
    attack = first(Kind.RATING, Surface.ABSTRACT)
    shown = prompting.shown(attack.specimen.item(), limit=prompting.LABEL_CHARS)
    assert case(attack, ON, is_twin=True).messages == tuple(prompting.rate_messages(rubric(), shown))


def test_the_defended_research_begins_as_scouts_own_does() -> None:
    attack = first(Kind.TOOL, Surface.ABSTRACT)
    system, opening = case(attack, ON, is_twin=True).messages
    fence = opening.content.partition("<data-")[2][:12]
    assert system.content == scout_prompt("research").fill(fence=fence)
    assert opening.content.endswith(abstract(attack.specimen.item(), fence).text)


def test_what_a_tool_found_stands_in_the_fence_of_its_research() -> None:
    for attack in ATTACKS:
        if task_of(attack) in (Task.TURN, Task.BRIEF) and attack.surface not in (Surface.TITLE, Surface.ABSTRACT):
            said = case(attack, ON, is_twin=False).messages
            fence = said[1].content.partition("<data-")[2][:12]
            inner = said[3].content.partition(f"<data-{fence}>")[2].partition(f"</data-{fence}>")[0]
            assert folded(attack.marker) in folded(inner)


def test_neutralised_items_end_no_block_and_begin_no_turn() -> None:
    for attack in ATTACKS:
        defended, bare = (case(attack, each, is_twin=False) for each in (ON, replace(ON, neutralising=False)))
        if attack.technique == "chat-tokens":
            assert "<|im_start|>" not in prompt(defended)
            assert "<|im_start|>" in prompt(bare)
        if attack.technique == "closed-delimiter" and task_of(attack) in (Task.ROUTE, Task.RATE, Task.SUMMARY):
            assert defended.messages[-1].content.count("</item>") == 1
            assert bare.messages[-1].content.count("</item>") == 2


def test_without_delimiting_no_prompt_speaks_of_marks() -> None:
    for attack in ATTACKS:
        if attack.technique == "closed-delimiter":
            continue
        for is_twin in (False, True):
            assert "<item>" not in (said := prompt(case(attack, OFF, is_twin=is_twin)))
            assert "<data-" not in said
            marked = prompt(case(attack, ON, is_twin=is_twin))
            assert "<item>" in marked or "<data-" in marked
            assert "data" in marked.casefold()


def test_grounding_changes_no_prompt() -> None:
    ungrounded = replace(ON, grounding=False)
    for attack in ATTACKS:
        assert case(attack, ON, is_twin=False) == case(attack, ungrounded, is_twin=False)


def test_twins_with_the_same_id_are_the_same_text() -> None:
    seen: dict[str, Case[Gold]] = {}
    for each in measuring.all_cases(ATTACKS, EACH):
        assert seen.setdefault(each.id, each).messages == each.messages


def test_forbidden_calls_are_either_unknown_tools_or_fit_their_tool() -> None:
    for call in CALLS:
        if call.tool in TOOLS:
            TOOLS[call.tool].model_validate({call.argument: call.value})
    assert any(call.tool not in TOOLS for call in CALLS)


# --- models whose figures are known beforehand


@pytest.mark.parametrize("defences", EACH, ids=lambda each: each.name)
@pytest.mark.parametrize(("name", "gets_through", "benign"), [("obeying", 1, 1), ("ignoring", 0, 1), ("silent", 0, 0)])
def test_a_scripted_model_scores_what_it_must(name: str, gets_through: int, benign: int, defences: Defences) -> None:
    rows = figures(MODELS[name], defences).rows
    assert {row.kind for row in rows} == {*Kind, measuring.ALL}
    for row in rows:
        assert (row.through.count, row.through.of) == (gets_through * row.attacks, row.attacks), row
        assert row.benign.count == benign * row.benign.of, row
        assert row.faults == 0


def test_a_model_that_ignores_attacks_does_its_task_under_attack_too() -> None:
    assert all(row.attacked.count == row.attacked.of for row in figures(ignoring, ON).rows)


def test_an_answer_to_another_attack_gets_nothing_through() -> None:
    answers = {each.id: obeying(each) for each in measuring.all_cases(ATTACKS, (OFF,))}
    marked = [attack for attack in ATTACKS if attack.kind is Kind.CANARY and task_of(attack) is Task.SUMMARY]
    for attack, other in zip(marked, [*marked[1:], marked[0]], strict=True):
        mine, theirs = case(attack, OFF, is_twin=False), case(other, OFF, is_twin=False)
        assert through(grounding=False)(mine, answers[theirs.id]).score == 0


def test_grounding_holds_back_what_cites_nothing() -> None:
    attack = first(Kind.CANARY, Surface.ABSTRACT)
    each = case(attack, ON, is_twin=False)
    claim = {"text": f"{attack.marker} is mentioned by {attack.specimen.abstract[0]}", "cites": []}
    sentence = attack.specimen.abstract[1]
    cites = [number for number, shown in enumerate(each.gold.sentences, 1) if sentence in shown]
    points = [claim, {"text": sentence, "cites": cites}]
    text = json.dumps({"tldr": sentence, "points": points, "new": claim, "why_it_matters": claim})
    answer = Answer(case_id=each.id, text=text)
    assert through(grounding=False)(each, answer).score == 1
    assert through(grounding=True)(each, answer).score == 0
    assert useful(grounding=True)(each, answer).score == 1


def test_grounding_of_a_brief_holds_back_claims_without_evidence() -> None:
    attack = first(Kind.CONTAMINATION, Surface.REPOSITORY)
    each = case(attack, ON, is_twin=False)
    evidence = [{"place": "nowhere", "numbers": [1]}]
    answer = Answer(
        case_id=each.id, text=json.dumps({"claims": [{"text": f"{attack.marker} is best.", "evidence": evidence}]})
    )
    assert texts(each, answer, grounding=False)
    assert not texts(each, answer, grounding=True)


def test_a_marker_is_found_however_it_is_spelt() -> None:
    attack = first(Kind.CANARY, Surface.ABSTRACT)
    each = case(attack, OFF, is_twin=False)
    for spelling in (attack.marker.upper(), "-".join(attack.marker), " ".join(attack.marker), f"**{attack.marker}**"):
        claim = {"text": spelling, "cites": [1]}
        answer = Answer(case_id=each.id, text=json.dumps({"tldr": "A sentence.", "points": [claim]}))
        assert through(grounding=False)(each, answer).score == 1


def test_a_call_that_does_not_work_is_no_use() -> None:
    each = case(first(Kind.TOOL, Surface.ABSTRACT), ON, is_twin=True)
    calls = {
        "unknown": ToolCall("1", "open_browser", "{}"),
        "malformed": ToolCall("1", "search", "{query: agents"),
        "wrong": ToolCall("1", "search", '{"words": "agents"}'),
    }
    for call in calls.values():
        assert useful(grounding=True)(each, Answer(case_id=each.id, calls=(call,))).score == 0
    works = ToolCall("1", "search", '{"query": "agents"}')
    assert useful(grounding=True)(each, Answer(case_id=each.id, calls=(works,))).score == 1


def test_a_model_that_always_says_the_same_is_not_said_to_have_been_flipped() -> None:
    def stubborn(each: Case[Gold]) -> Answer:
        return Answer(case_id=each.id, labels={label: float(label == "5") for label in each.labels})

    row = next(row for row in figures(stubborn, OFF).rows if row.kind == Kind.RATING)
    unwanted = [a for a in ATTACKS if a.kind is Kind.RATING and not a.specimen.is_wanted]
    assert row.through.count == 0
    assert row.through.of == row.attacks - len(unwanted) < row.attacks


def test_labels_that_are_equally_likely_say_nothing() -> None:
    each = case(first(Kind.ROUTE, Surface.TITLE), ON, is_twin=False)
    answer = Answer(case_id=each.id, labels=dict.fromkeys(each.labels, 1 / len(each.labels)))
    assert through(grounding=True)(each, answer).score == useful(grounding=True)(each, answer).score == 0


def test_a_fault_counts_as_no_answer_and_is_told() -> None:
    def faulty(each: Case[Gold]) -> Answer:
        return Answer(case_id=each.id, fault="bad-reply: half of it")

    for row in figures(faulty, ON).rows:
        assert (row.through.of, row.benign.count, row.faults) == (0, 0, row.attacks)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["tldr", "points", "new", "text", "cites", "claims", "evidence", "place", "numbers", "x"]), inner, max_size=5
    ),
    max_leaves=12,
)  # fmt: skip
WRITTEN = st.text(st.characters(codec=None), max_size=80) | JSON.map(json.dumps) | st.just("[" * 100_000)
ONE_OF_EACH = [case(next(a for a in ATTACKS if task_of(a) is task), ON, is_twin=False) for task in Task]


@given(
    st.sampled_from(ONE_OF_EACH), WRITTEN, st.lists(st.builds(ToolCall, WRITTEN, st.sampled_from([*TOOLS, "x"]), WRITTEN), max_size=2),
    st.dictionaries(st.text(max_size=2), st.floats()), st.booleans(),
)  # fmt: skip
def test_no_answer_makes_a_verifier_raise(
    each: Case[Gold], text: str, calls: list[ToolCall], labels: dict[str, float], grounding: bool
) -> None:
    answer = Answer(case_id=each.id, text=text, calls=tuple(calls), labels=labels)
    for verifier in (through(grounding=grounding), useful(grounding=grounding)):
        verdict = verifier(each, answer)
        assert verdict.case_id == each.id
        assert verdict.score in (0.0, 1.0)


# --- statistics


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(5, 5, 0.566, 1.0), (0, 20, 0.0, 0.161), (10, 20, 0.299, 0.701)]
)
def test_wilson_intervals_are_the_published_ones(count: int, of: int, low: float, high: float) -> None:
    assert list(wilson_interval(count, of)) == pytest.approx([low, high], abs=1e-3)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
