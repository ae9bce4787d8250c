"""Which generators of reasoning-gym can be believed: asked of each by itself, in a process of its own. No list of good or bad ones.

`python -m evals.suites.gym_check NAME…` prints a line of JSON for each: what is wrong with it at each level, and a
digest of its text. Whoever calls it does so under two hash seeds and keeps what both found good and the same: see `gym`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

SEED, SIZE, LEVELS = 1_729, 8, 3
SECONDS = 4
"""So long a generator may compute for everything here; ten times as long by the clock, as others compute too."""
MEMORY = 2 << 30
GUESSED = 0.1
"""Answers of other items may be right this often, no more."""
NOISE = (
    "", "I don't know", "I don't know.", "?", "None", "[]", "{}", "((((", "1/0", "nan", "-inf", "\x00", "🙂", "a" * 2000,
    "The answer cannot be found.", "[[[[]]]]", "9**9**9**9", "9" * 1500,
)  # fmt: skip
CALLS = (
    "__import__('pathlib').Path({path!r}).touch()", "[__import__('pathlib').Path({path!r}).touch()]",
    "x + __import__('pathlib').Path({path!r}).touch()", "print(__import__('pathlib').Path({path!r}).touch())",
)  # fmt: skip
"""A scorer that evaluates an answer runs whatever a model wrote."""


def dataset(name: str, level: int, seed: int, size: int) -> Any:
    """A generator at a level of its own curriculum; at the only one it has, where it has none."""
    from reasoning_gym.factory import CURRICULA, DATASETS, create_curriculum, create_dataset

    if name not in CURRICULA:
        return create_dataset(name, seed=seed, size=size)
    course = create_curriculum(name)
    for attribute in course.attributes.values():
        course.set_attr_level(attribute.name, min(level, len(attribute.levels) - 1))
    return DATASETS[name][0](course.generate_configuration({"seed": seed, "size": size}))


def fault(name: str, level: int) -> tuple[str, str]:
    """What is wrong with a generator at a level, nothing where it can be believed, and a digest of its text."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        made = dataset(name, level, SEED, SIZE)
        items = [made[place] for place in range(SIZE)]
        why = _fault(made, items)
    text = "\0".join(f"{item['question']}\0{item['answer']}" for item in items)
    if not why and len({item["question"] for item in items}) < SIZE // 2:
        why = "asks the same again and again"
    return why or ("writes to the terminal" if said.getvalue() else ""), hashlib.sha256(text.encode()).hexdigest()


def _fault(made: Any, items: list[Any]) -> str:
    golds = [item["answer"] for item in items]
    for item, gold in zip(items, golds, strict=True):
        if not (isinstance(gold, str) and gold.strip() and isinstance(item["question"], str)):
            return "has items without a text or an answer"
        if made.score_answer(gold, item) < 1:
            return "scores its own answer below 1"
    others = [(gold, item) for item in items for gold in golds if gold.strip() != item["answer"].strip()]
    right = sum(made.score_answer(gold, item) >= 1 for gold, item in others)
    # an answer that many items share would be guessed as often
    alike = sum(golds.count(gold) - 1 for gold in golds)
    if right + alike > GUESSED * len(items) * (len(items) - 1):
        return f"scores other items' answers: {right + alike} of {len(items) * (len(items) - 1)}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "touched"
        for item in items[:3]:
            for noise in (*NOISE, *(each.format(path=str(path)) for each in CALLS)):
                try:
                    score = made.score_answer(noise, item)
                except Exception as err:
                    return f"raises {type(err).__name__} on {noise[:20]!r}"
                if path.exists():
                    return "runs what an answer says"
                if score >= 1:
                    return f"scores {noise[:20]!r}"
    return ""


def _told(name: str) -> dict[str, Any]:
    levels: list[dict[str, str]] = []
    for level in range(LEVELS):
        try:
            why, digest = fault(name, level)
        except Exception as err:
            why, digest = f"cannot be built ({type(err).__name__}: {str(err)[:60]})", ""
        if not why and any(digest == easier["digest"] for easier in levels):
            why = "is the same as a level below"
        levels.append({"fault": why, "digest": digest})
    return {"name": name, "levels": levels}


def checked(name: str) -> dict[str, Any]:
    """`_told` by a child, which is killed where it hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            warnings.simplefilter("ignore")
            os.write(writing, json.dumps(_told(name)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    begun, text = time.monotonic(), b""
    while (left := begun + 10 * SECONDS - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        more = os.read(reading, 65_536)
        if not more:
            break
        text += more
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        return dict(json.loads(text))
    except ValueError:
        ended = {"fault": "hangs, or ends the process", "digest": ""}
        return {"name": name, "levels": [ended] * LEVELS}


def names(*categories: str) -> list[str]:
    """All generators of these categories of the library, which are its folders."""
    from reasoning_gym.factory import DATASETS

    return sorted(name for name, (made, _) in DATASETS.items() if made.__module__.split(".")[1] in categories)


if __name__ == "__main__":
    import reasoning_gym  # noqa: F401  once, before children

    for each in sys.argv[1:]:
        wanted = names(each.removeprefix("category:")) if each.startswith("category:") else [each]
        for one in wanted:
            sys.stdout.write(json.dumps(checked(one)) + "\n")
            sys.stdout.flush()
