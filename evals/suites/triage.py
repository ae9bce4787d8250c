"""Triage itself on made-up papers: which subject, which of a handful a reader wants, and a summary that its sentences bear out.

What a real reader's thumbs say of a model is `evals.triage`'s to measure; this asks the same of every model alike.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import making
from evals.suites.triage_papers import SUBJECTS, Paper, paper
from scout.triage import grounding
from scout.triage.prompting import parse_summary

FEW = 3
"""Subjects to choose from, and papers, at the easiest level."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Gold:
    answer: str
    paper: Paper | None = None


def _route(draw: random.Random, level: int, *, mixed: bool, count: int) -> tuple[str, Gold]:
    """Several papers, each to be given its subject."""
    slugs = draw.sample(sorted(SUBJECTS), len(SUBJECTS) if level else FEW)
    table = "\n".join(f"{LETTERS[place]}. {SUBJECTS[slug][0]}" for place, slug in enumerate(slugs))
    papers = [paper(draw, draw.choice(slugs), mixed=mixed) for _ in range(count if level else 1)]
    told = "\n\n".join(f"Paper {place}: {each.title}\n{each.text}" for place, each in enumerate(papers, 1))
    right = "".join(LETTERS[slugs.index(each.subject)] for each in papers)
    asked = f"""Give each paper its subject. What counts is what it contributes, not what it is tried on.

Subjects:
{table}

{told}

End your reply with a line `Answer: ` and the letters of the subjects, in the order of the papers, without spaces."""
    return asked, Gold(right)


def routing(draw: random.Random, level: int) -> tuple[str, Gold]:
    return _route(draw, level, mixed=False, count=2 + level)


def routing_mixed(draw: random.Random, level: int) -> tuple[str, Gold]:
    return _route(draw, level, mixed=True, count=2 + level)


def _choose(draw: random.Random, level: int, *, mutes: bool) -> tuple[str, Gold]:
    wanted = draw.sample(sorted(SUBJECTS), 2)
    muted = draw.choice([slug for slug in SUBJECTS if slug not in wanted])
    papers: list[Paper] = []
    for _ in range(6 + 2 * level if level else FEW):
        subject = draw.choice(wanted) if draw.random() < 0.45 else draw.choice(sorted(SUBJECTS))
        papers.append(paper(draw, subject, mixed=draw.random() < 0.6))
    right = [
        place for place, each in enumerate(papers, 1)
        if each.subject in wanted and not (mutes and each.applied == muted)
    ]  # fmt: skip
    if not 1 <= len(right) < len(papers):
        return _choose(draw, level, mutes=mutes)
    told = "\n\n".join(f"{place}. {each.title}\n{each.text}" for place, each in enumerate(papers, 1))
    wish = f"wants papers that contribute to {SUBJECTS[wanted[0]][0]} or to {SUBJECTS[wanted[1]][0]}"
    mute = (
        f", but none that is tried on material of {SUBJECTS[muted][0]} ({', '.join(SUBJECTS[muted][2])})"
        if mutes
        else ""
    )
    asked = f"""A reader {wish}{mute}. What a paper is tried on does not make it wanted.

{told}

End your reply with a line `Answer: ` and the numbers of the papers for this reader, in rising order, with commas between."""
    return asked, Gold(",".join(map(str, right)))


def relevance(draw: random.Random, level: int) -> tuple[str, Gold]:
    return _choose(draw, level, mutes=False)


def relevance_muted(draw: random.Random, level: int) -> tuple[str, Gold]:
    return _choose(draw, level, mutes=True)


def summary(draw: random.Random, level: int) -> tuple[str, Gold]:
    """A paper, with others around it that are not to be summed up."""
    papers = [paper(draw, draw.choice(sorted(SUBJECTS)), mixed=True) for _ in range(1 + level)]
    mine = draw.choice(papers)
    others = [each for each in papers if each.name != mine.name]
    told = "\n".join(f"[{place}] {sentence}" for place, sentence in enumerate(mine.sentences, 1))
    context = "".join(f"\n\nFor context only, another paper: {each.title}. {each.text}" for each in others)
    asked = f"""Sum up this paper for a busy reader.

{mine.title}
{told}{context}

Reply with one JSON object: {{"tldr": "one sentence", "points": [{{"text": "...", "cites": [sentence numbers]}}]}}, with two to four
points. Name the method and its main result in the points. Every point must be borne out by the sentences that it cites."""
    return asked, Gold("", mine)


FAMILIES: Mapping[str, Callable[[random.Random, int], tuple[str, Gold]]] = {
    "routing": routing, "routing-mixed": routing_mixed, "relevance": relevance, "relevance-muted": relevance_muted,
    "summary": summary,
}  # fmt: skip


def _maker(family: str, make_task: Callable[[random.Random, int], tuple[str, Gold]]) -> making.Maker:
    def make(draw: random.Random, level: int) -> Case[Any]:
        asked, gold = make_task(draw, level)
        return making.case("triage", family, asked, gold, level=level, max_tokens=600)

    return make


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    gold: Gold = case.gold
    if gold.paper is not None:
        return _summed_up(gold.paper, text)
    said = "".join(verify.final_answer(text).split()).strip(",").upper()
    return float(said == gold.answer), f"says {said[:60]}, right is {gold.answer}"


def _summed_up(mine: Paper, text: str) -> tuple[float, str]:
    draft = parse_summary(text)
    checked = grounding.check(draft.points, mine.sentences)
    if checked.dropped:
        return 0.0, f"not borne out: {checked.dropped[0].fault.reason}"
    if grounding.check_tldr(draft.tldr, mine.title, mine.sentences) is not None:
        return 0.0, "the first sentence is not borne out"
    if not 2 <= len(checked.kept) <= 4:
        return 0.0, f"{len(checked.kept)} points"
    seen = " ".join(point.text for point in checked.kept)
    missing = [each for each in (mine.name, mine.figure) if each.casefold() not in seen.casefold()]
    return float(not missing), f"does not mention {missing[0]}" if missing else "grounded"


def gold_answer(case: Case[Any]) -> Answer:
    gold: Gold = case.gold
    if gold.paper is None:
        return making.says(case, f"Answer: {gold.answer}")
    points = [{"text": gold.paper.sentences[place], "cites": [place + 1]} for place in (0, 2)]
    return making.says(case, json.dumps({"tldr": gold.paper.sentences[0], "points": points}))


TRIAGE = Suite(
    name="triage", version=2, domain="triage", title="routes, chooses and sums up papers that were made up",
    build=making.spread({family: _maker(family, make) for family, make in FAMILIES.items()}, worked=gold_answer), verify=verify.by(judge),
    gold_answer=gold_answer, families=len(FAMILIES),
)  # fmt: skip
