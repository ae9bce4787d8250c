"""Mathematics and logic from reasoning-gym's generators: those that pass our check on this machine, at the levels that pass.

The check (`gym_check`) runs once for a version of the library and is kept in the user's cache. What is asked comes from
the seed alone; partial credit counts as wrong.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from evals import verify
from evals.core import Answer, Case, Suite
from evals.suites import gym_check, making

Choice = Mapping[str, tuple[int, ...]]
"""Generators, and at which levels they can be believed."""
SIZE = 1_000
"""A generator's items are numbered within so many, however many a run takes."""
LONGEST = 2_000
HOW = "Work it out. Then end your reply with `Answer:` and the answer alone, in the form that was asked for."
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "mathematics": ("arithmetic", "algebra", "geometry"),
    "logic": ("logic", "games", "graphs", "induction"),
}


@dataclass(frozen=True, slots=True)
class Gold:
    generator: str
    level: int
    seed: int
    entry: Mapping[str, Any]


def missing() -> str:
    if importlib.util.find_spec("reasoning_gym") is None:
        return "needs the generators of reasoning-gym: pip install 'scout[evals]'"
    return ""


def compared(candidates: Sequence[str]) -> dict[str, list[str]]:
    """What is wrong with each generator, level by level; nothing where it can be believed. Asked under two hash seeds.

    A candidate is a generator's name, or `category:` and a folder of the library's.
    """
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(partial(_asked, tuple(candidates)), ("1", "2"))
    told = {}
    for name, levels in one.items():
        again = other.get(name, [])
        told[name] = [
            each["fault"] or ("" if each in again else "is not the same twice") for each in levels
        ]  # fmt: skip
    return told


def _asked(candidates: tuple[str, ...], hash_seed: str) -> dict[str, list[dict[str, str]]]:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "evals.suites.gym_check", *candidates]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, cwd=_root())
    if done.returncode:
        raise RuntimeError(f"the generators could not be checked: {done.stderr.strip()[-300:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: row["levels"] for row in rows}


def _root() -> Path:
    """Where `evals` is imported from, so that a child finds it too."""
    return Path(__file__).resolve().parents[2]


@lru_cache
def checked(domain: str) -> Mapping[str, list[str]]:
    """`compared` for a domain's categories, kept in the cache of this machine."""
    kept = _cache(domain)
    try:
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass
    told = compared([f"category:{each}" for each in CATEGORIES[domain]])
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        partly = kept.with_suffix(f".{os.getpid()}")
        partly.write_text(json.dumps(told), encoding="utf-8")
        partly.replace(kept)
    except OSError:
        pass  # it is found out again next time
    return told


def _cache(domain: str) -> Path:
    import platformdirs

    code = hashlib.sha256(Path(gym_check.__file__).read_bytes() + repr(CATEGORIES[domain]).encode()).hexdigest()[:12]
    name = f"generators-{domain}-{importlib.metadata.version('reasoning-gym')}-{code}.json"
    return platformdirs.user_cache_path("scout") / name


MILD = ("scores other items' answers", "is the same as a level below", "cannot be built")
"""What is wrong with a level alone. Any other fault is its code's, and speaks against all of its levels."""


def chosen(told: Mapping[str, list[str]]) -> Choice:
    """The generators that can be believed, and at which levels."""
    sound = {name: faults for name, faults in told.items() if all(not each or each.startswith(MILD) for each in faults)}
    good = {name: tuple(level for level, fault in enumerate(faults) if not fault) for name, faults in sound.items()}
    return {name: levels for name, levels in sorted(good.items()) if levels}


@lru_cache(maxsize=256)
def _dataset(generator: str, level: int, seed: int) -> Any:
    return gym_check.dataset(generator, level, seed, SIZE)


def cases(suite: str, choice: Choice, seed: int, n: int) -> tuple[Case[Any], ...]:
    """The generators take turns, and each its levels."""
    made: dict[str, Case[Any]] = {}
    names = list(choice)
    for place in range(n):
        generator, turn = names[place % len(names)], place // len(names)
        levels = choice[generator]
        level = levels[turn % len(levels)]
        for attempt in range(making.TRIES):
            entry = _dataset(generator, level, seed)[(turn + attempt * (n // len(names) + 1)) % SIZE]
            case = making.case(
                suite, generator, f"{entry['question'].strip()}\n\n{HOW}", Gold(generator, level, seed, entry),
                level=level, max_tokens=1024,
            )  # fmt: skip
            if level == 0:
                case = making.after(case, [_example(suite, generator, seed, entry["answer"], place)])
            if case.id not in made:
                made[case.id] = case
                break
        else:
            raise ValueError(f"{generator} has no {place}th case of level {level} that differs from the others")
    return tuple(made.values())


def _example(suite: str, generator: str, seed: int, answer: str, place: int) -> tuple[Case[Any], str]:
    """An entry from the end of a generator's easiest, which no run gets to, whose answer is not `answer`."""
    made = _dataset(generator, 0, seed)
    for step in range(making.TRIES):
        entry = made[SIZE - 1 - (place + step) % (SIZE // 4)]
        if entry["answer"].strip() != answer.strip():
            case = making.case(
                suite, generator, f"{entry['question'].strip()}\n\n{HOW}", None, level=0, max_tokens=1024
            )
            return case, f"Answer: {entry['answer']}"
    raise ValueError(f"{generator} has one answer only at level 0")


def judge(case: Case[Any], text: str) -> tuple[float, str]:
    gold: Gold = case.gold
    said = spoken(text, lines="\n" in gold.entry["answer"].strip())
    if not said:
        return 0.0, "no line begins with Answer:"
    made = _dataset(gold.generator, gold.level, gold.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = max(made.score_answer(each[:LONGEST], gold.entry) for each in said)
    return float(score >= 1), f"says {said[0][:60]}, right is {gold.entry['answer'][:60]}"


def spoken(text: str, *, lines: bool) -> list[str]:
    """The final answer, as it stands and without the marks around it; all that follows the last `Answer:`, without a
    fence, where it takes several lines. Nothing where there is none."""
    _, marker, rest = text.rpartition("Answer:")
    if lines:
        rows = [row for row in rest.strip().splitlines() if not row.startswith("```")]
        return ["\n".join(rows).strip()] if marker and rows else []
    bare = verify.final_answer(text)
    whole = rest.strip().splitlines()[:1] if marker else []
    return [each for each in dict.fromkeys([bare, *whole]) if each]


def gold_answer(case: Case[Any]) -> Answer:
    return making.says(case, f"Answer: {case.gold.entry['answer']}")


def _build(domain: str, seed: int, n: int) -> tuple[Case[Any], ...]:
    return cases(domain, chosen(checked(domain)), seed, n)


def _suite(domain: str, title: str) -> Suite:
    return Suite(
        name=domain, version=2, domain=domain, title=title, build=partial(_build, domain), verify=verify.by(judge),
        gold_answer=gold_answer, families=8, unavailable=missing,
    )  # fmt: skip


MATHEMATICS = _suite("mathematics", "arithmetic, algebra and geometry, from generators that pass the check")
LOGIC = _suite("logic", "puzzles, graphs and rules to be found, from generators that pass the check")
