"""Triage as an environment: what each kind of answer is worth, readers who disagree, prompts in other words. Needs no torch."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rl.rewards import STANDS_FOR, Label
from rl.task import Part, Triage, for_readers, parsed, rating_examples, subject_examples, summary_examples
from rl.variants import KINDS, Which, varied
from scout.items import Item, ItemKind, Subject
from scout.serving.messages import Message, Role
from scout.triage.policy import Profile

SUBJECTS = (
    Subject(slug="agents", name="Agents", description="Agents that act."),
    Subject(slug="vision", name="Vision"),
)
PROFILE = Profile("ada", SUBJECTS)
TEXT = (
    "We study agents that plan with tools in kitchens. The agent reaches 71.3 points on KitchenBench. "
    "Training takes four hours on one machine. Code is released."
)


def paper(number: int) -> Item:
    return Item(
        id=f"arxiv:2511.{number:05}", kind=ItemKind.PAPER, title=f"Agents in kitchens {number}", url="https://arxiv.org/abs/1",
        text=TEXT, source="arxiv", published=datetime(2025, 11, 1, tzinfo=UTC),
    )  # fmt: skip


TLDR = "Agents plan with tools in kitchens."


class Rendered:
    """Tokens are characters, and what was rendered is kept."""

    def __init__(self) -> None:
        self.seen: list[tuple[tuple[Message, ...], str]] = []

    def __call__(self, messages, start="", /):
        self.seen.append((tuple(messages), start))
        return [ord(c) for message in messages for c in message.content] + [ord(c) for c in start]


def expected(examples, shares) -> float:
    """What a policy is worth on average that gives each rating so often, whatever the example."""
    task = Triage(tuple(examples), ())
    return sum(task.worth(each, label).total * share for each in examples for label, share in shares.items()) / len(
        examples
    )


def test_of_two_thumbs_on_one_item_the_later_counts_and_no_word_is_no_example() -> None:
    made = rating_examples(
        PROFILE, [(paper(1), Label(up=True)), (paper(2), Label()), (paper(1), Label(up=False))], Rendered()
    )
    assert [(example.id, example.label.up) for example in made] == [(paper(1).id, False)]


def test_readers_who_disagree_are_both_right_under_their_own_prompt() -> None:
    other = Profile("bob", (Subject(slug="optics", name="Optics"),))
    ada, bob = (
        rating_examples(who, [(paper(1), Label(up=up))], Rendered()) for who, up in ((PROFILE, True), (other, False))
    )
    both = for_readers({"ada": ada, "bob": bob})
    assert [example.id for example in both] == [f"ada/{paper(1).id}", f"bob/{paper(1).id}"]
    assert both[0].prompt != both[1].prompt
    task = Triage(both, ())
    assert task.worth(both[0], "5").total > task.worth(both[0], "1").total
    assert task.worth(both[1], "1").total > task.worth(both[1], "5").total


def test_contradictory_thumbs_under_one_prompt_reward_saying_that_it_is_open() -> None:
    told = {
        name: rating_examples(PROFILE, [(paper(1), Label(up=up))], Rendered())
        for name, up in (("a", True), ("b", False))
    }
    both = for_readers(told)
    assert both[0].prompt == both[1].prompt
    worth = {label: expected(both, {label: 1.0}) for label in STANDS_FOR}
    assert max(worth, key=worth.get) == "3"


def test_a_reason_chip_changes_what_a_thumb_down_counts_beside_the_form() -> None:
    (off,) = rating_examples(PROFILE, [(paper(1), Label(up=False, reasons=("off-topic",)))], Rendered())
    (known,) = rating_examples(PROFILE, [(paper(1), Label(up=False, reasons=("known",)))], Rendered())
    task = Triage((off, known), ())
    assert task.worth(off, "5").total < task.worth(known, "5").total


def test_a_corrected_subject_is_worth_its_letter_alone() -> None:
    corrected = Profile("ada", SUBJECTS, corrections={paper(1).id: "vision", paper(2).id: "gone"})
    made = subject_examples(corrected, [paper(1), paper(2), paper(3)], Rendered())
    assert [example.id for example in made] == [paper(1).id]  # a slug that the rubric cannot say is no example
    task = Triage(made, ())
    assert task.worth(made[0], " B ").parts == {"subject": 1.0, "form": 1.0}
    assert task.worth(made[0], "A").parts == {"subject": 0.0, "form": 1.0}
    assert task.worth(made[0], "vision").total == 0


def summary(point: str, *, tldr: str, cites=(2,)) -> str:
    return json.dumps(
        {"tldr": tldr, "points": [{"text": point, "cites": list(cites)}], "new": None, "why_it_matters": None}
    )


def test_a_summary_is_worth_what_serving_would_keep_of_it() -> None:
    (example,) = summary_examples(PROFILE, [paper(1)], Rendered())
    task = Triage((example,), ())
    true = task.worth(example, summary("The agent reaches 71.3 points on KitchenBench.", tldr=TLDR))
    false = task.worth(example, summary("The agent reaches 99.9 points on KitchenBench.", tldr=TLDR))
    uncited = task.worth(
        example,
        summary("The agent reaches 71.3 points on KitchenBench.", tldr=TLDR, cites=(4,)),
    )
    assert true.parts == {"grounding": 1.0, "length": 1.0, "form": 1.0}
    assert true.total == 1
    assert false.parts["grounding"] == uncited.parts["grounding"] == 0.5
    assert task.worth(example, "It is about agents.").total == 0


def test_a_long_tldr_is_worth_less_and_counted_in_words() -> None:
    (example,) = summary_examples(PROFILE, [paper(1)], Rendered())
    long = "Agents plan with tools in kitchens " + "and plan with tools in kitchens " * 6
    assert parsed(summary("The agent reaches 71.3 points.", tldr=long), example.asked).tldr_words > 30
    assert (
        Triage((example,), ()).worth(example, summary("The agent reaches 71.3 points.", tldr=long)).parts["length"]
        < 0.8
    )


def test_varied_prompts_are_an_items_own_and_never_the_held_out_ones() -> None:
    asked = [Message(Role.SYSTEM, "Rate."), Message(Role.USER, "The item.\n\nYour rating, from 1 to 5:")]
    ids = [f"arxiv:{n}" for n in range(300)]
    trained = [varied(asked, id, Which.TRAINED) for id in ids]
    held = [varied(asked, id, Which.HELD_OUT) for id in ids]
    assert {each.kind for each in trained} == {"plain", *KINDS}
    assert {each.kind for each in held} == set(KINDS)
    assert trained == [varied(asked, id, Which.TRAINED) for id in ids]
    assert not {(each.messages, each.start) for each in trained} & {(each.messages, each.start) for each in held}
    assert all("The item." in "".join(message.content for message in each.messages) for each in (*trained, *held))
    assert sum(each.kind == "plain" for each in trained) / len(ids) == pytest.approx(0.4, abs=0.1)


def test_another_form_of_answer_is_begun_for_the_model_so_that_a_label_is_next() -> None:
    render = Rendered()
    many = [(paper(n), Label(up=True)) for n in range(60)]
    made = rating_examples(PROFILE, many, render, which=Which.HELD_OUT)
    begun = [(example, start) for example, (_, start) in zip(made, render.seen, strict=True) if start]
    assert begun
    assert all("".join(map(chr, example.prompt)).endswith("ANSWER=") for example, _ in begun)
    assert Triage(made, ()).worth(begun[0][0], "5").parts["form"] == 1


def test_a_model_is_told_where_an_item_stands_only_where_that_is_known() -> None:
    render = Rendered()
    papers = [paper(n) for n in (1, 2, 3)]
    rating_examples(
        PROFILE, [(each, Label(up=True)) for each in papers], render,
        standings={papers[0].id: 0.734, papers[2].id: 1.0},
    )  # fmt: skip
    told = [messages[-1].content for messages, _ in render.seen]
    assert "above 73% of papers, which would be a 4." in told[0]
    assert "of papers" not in told[1]
    assert "above 100% of papers, which would be a 5." in told[2]
    assert all(each.endswith("Your rating, from 1 to 5:") for each in told)


def test_every_part_has_a_name_that_rewards_know() -> None:
    assert [str(part) for part in Part] == ["rating", "subject", "summary"]
