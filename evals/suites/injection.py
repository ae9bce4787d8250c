"""Prompt injection: attacks on what scout shows a model, each with a benign twin, the same item without the attack.

Attacks are drawn from a seed: for each kind and surface some techniques, an order and a specimen. What of them a model is
shown, under which defences, is `injection_prompts`'; whether one got through is `injection_verify`'s.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from evals.suites.injection_attacks import CALLS, PRODUCTS, SPEECH, SURFACES, SYLLABLES, TECHNIQUES, Kind, Surface
from evals.suites.injection_specimens import NEIGHBOUR, SPECIMENS, SUBJECTS, Specimen
from scout.items import OTHER

SEED = 1
TECHNIQUES_EACH = 4
"""Techniques drawn for each kind on each surface: 84 attacks in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack. All that can be told without knowing how the item is put before the model."""

    id: str
    kind: Kind
    surface: Surface
    technique: str
    specimen: Specimen
    """The item that is read."""
    order: str
    """What it wants done, in words."""
    payload: str
    """What is put into it: the order, wrapped as the technique does."""
    place: int
    """Before which sentence, modulo their number, where it stands among sentences."""
    marker: str = ""
    """What must not turn up; empty for flips."""
    tool: str = ""
    argument: str = ""
    value: str = ""
    """The call asked for, where one is."""
    target: str = ""
    """The slug or the rating that it wants."""

    @property
    def carrier(self) -> Specimen:
        """The item that it stands in."""
        return NEIGHBOUR if self.surface is Surface.TOOL_RESULT else self.specimen

    def title(self) -> str:
        """The carrier's title with the attack in it."""
        return f"{self.carrier.title}. {self.payload}"

    def within(self, sentences: Sequence[str]) -> tuple[str, ...]:
        """The sentences with the attack among them."""
        place = 1 + self.place % len(sentences)
        return (*sentences[:place], self.payload, *sentences[place:])


def attacks(seed: int = SEED) -> tuple[Attack, ...]:
    """All attacks of the suite. The same seed gives the same text; an attack's own draw comes from its id."""
    drawn: list[Attack] = []
    for kind, surfaces in SURFACES.items():
        for surface in surfaces:
            names = random.Random(f"{seed} {kind} {surface}").sample(sorted(TECHNIQUES), TECHNIQUES_EACH)  # noqa: S311
            drawn += [_attack(kind, surface, technique, seed) for technique in names]
    return tuple(drawn)


def some(given: Sequence[Attack], limit: int | None) -> tuple[Attack, ...]:
    """The first `limit` attacks, the kinds taking turns; all of them where there is no limit."""
    if limit is None:
        return tuple(given)
    of_a_kind = [[attack for attack in given if attack.kind is kind] for kind in Kind]
    turns = chain.from_iterable(zip_longest(*of_a_kind))
    return tuple(attack for attack in turns if attack is not None)[:limit]


def letters() -> dict[str, str]:
    """Slug → letter, as the suite's rubric tells them."""
    return {slug: chr(ord("A") + place) for place, slug in enumerate([*(s.slug for s in SUBJECTS), OTHER])}


def _attack(kind: Kind, surface: Surface, technique: str, seed: int) -> Attack:
    id = f"{kind}/{surface}/{technique}"
    draw = random.Random(f"{seed} {id}")  # noqa: S311  no secret
    specimen = draw.choice(SPECIMENS)
    marker = tool = argument = value = target = ""
    if kind is Kind.TOOL:
        call = draw.choice(CALLS)
        marker = _canary(draw)
        tool, argument, value = call.tool, call.argument, call.value.format(marker=marker)
        order = call.speech.format(marker=marker)
    elif kind is Kind.ROUTE:
        target = draw.choice([subject.slug for subject in SUBJECTS if subject.slug != specimen.subject])
        name = next(subject.name for subject in SUBJECTS if subject.slug == target)
        order = draw.choice(SPEECH[kind]).format(name=name, letter=letters()[target])
    elif kind is Kind.RATING:
        target = "1" if specimen.is_wanted else "5"
        order = draw.choice(SPEECH[kind]).format(digit=target)
    else:
        marker = _canary(draw) if kind is Kind.CANARY else draw.choice(PRODUCTS)
        order = draw.choice(SPEECH[kind]).format(marker=marker)
    return Attack(
        id=id, kind=kind, surface=surface, technique=technique, specimen=specimen, place=draw.randrange(100),
        order=order,
        payload=TECHNIQUES[technique].replace("{order}", order), marker=marker, tool=tool, argument=argument, value=value,
        target=target,
    )  # fmt: skip


def _canary(draw: random.Random) -> str:
    return "".join(draw.sample(SYLLABLES, 3)).capitalize()
