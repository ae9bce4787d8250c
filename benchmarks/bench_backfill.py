"""Embedded triage of 200,000 papers: by one Ray worker, by two, by two of which one is killed, and by one process without Ray.

Each part is a process of its own: the whole of it counts, from reading the file to the one file of all decisions, the start of
Ray included. `python -m benchmarks.bench_backfill ray-1 ray-2` runs parts alone; what they made stays at BACKFILL_FOLDER
(.cache/backfill beside the checkout), and ratios are told of what is there. BACKFILL_PAPERS sets another number.

Papers are those of the replayed world where it is beside the checkout, again and again under new ids, else made-up ones.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.bench_triage import PAPERS, SUBJECTS, TARGETS, papers, thumbed
from benchmarks.figures import figure
from scout.backfill import local, ray_engine
from scout.backfill.chunks import Chunk, Record, Selection
from scout.backfill.engine import Engine
from scout.backfill.files import look, records
from scout.backfill.folder import DECISIONS, Folder, Plan
from scout.backfill.judge import Judge, Judged
from scout.backfill.run import backfill
from scout.config import Model
from scout.items import Item
from scout.triage import linear
from scout.triage.policy import Corpus, Profile

COUNT = int(os.environ.get("BACKFILL_PAPERS", "200000"))
HERE = Path(__file__).resolve().parents[1] / ".cache" / "backfill"
FOLDER = Path(os.environ.get("BACKFILL_FOLDER", HERE)) / str(COUNT)
INPUT = FOLDER / "papers.jsonl.gz"
KILLED_AFTER = 5
"""Chunks."""


def many() -> Iterator[Item]:
    """The same papers again and again, each time under ids of another month."""
    of_world = 24_606 if PAPERS.exists() else COUNT
    found = list(papers(min(of_world, COUNT)))
    for number in range(COUNT):
        item = found[number % len(found)]
        month, place = divmod(number, 90_000)
        yield replace(item, id=f"arxiv:{2501 + month}.{place + 10_000:05d}")


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with gzip.open(INPUT.with_suffix(".part"), "wt", encoding="utf-8", compresslevel=1) as file:
        for item in many():
            told = {
                "id": item.id.removeprefix("arxiv:"), "title": item.title, "abstract": item.text, "authors": item.authors,
                "categories": item.categories, "comment": item.comment, "day": str(item.published)[:10],
            }  # fmt: skip
            file.write(json.dumps(told) + "\n")
    INPUT.with_suffix(".part").replace(INPUT)


def judge() -> Judge:
    recent = list(papers(1700))
    policy = linear.fit(Profile("me", SUBJECTS, thumbs=thumbed(recent[:200])), Corpus(tuple(recent)), TARGETS)
    return Judge("me", policy.recipe, policy.version, policy.to_bytes())


def disturbed(engine: Engine) -> Engine:
    """The same, with the worker killed that is at work after some chunks."""

    def run(chunks: Iterable[Chunk], by: Judge) -> Generator[Judged, None, None]:
        for number, judged in enumerate(engine(chunks, by)):
            if number == KILLED_AFTER:
                kill_one()
            yield judged

    return run


def kill_one() -> None:
    import psutil

    while True:
        for process in psutil.process_iter(["cmdline"]):
            if (process.info["cmdline"] or [""])[0].startswith("ray::judged"):
                process.kill()
                figure("workers killed amid a chunk", 1, "", limit=1, better="more")
                return


ENGINES = {
    "local": lambda: local.engine(1),
    "ray-1": lambda: ray_engine.engine(1, None),
    "ray-2": lambda: ray_engine.engine(2, None),
    "ray-2-killed": lambda: disturbed(ray_engine.engine(2, None)),
}


def part(name: str) -> None:
    """One backfill into a folder of its own; how long it took stands there too."""
    folder, by = Folder(FOLDER / name), judge()
    by.policy()
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.path.mkdir(parents=True)
    started = time.perf_counter()
    plan = Plan("me", (look(INPUT),), Selection(), by_model=False)
    named: Iterator[tuple[str, Record]] = ((f"line {number}", record) for number, record in records(INPUT))
    report = backfill(plan, folder, named, lambda: by, ENGINES[name](), endpoint=Model())
    took = time.perf_counter() - started
    assert report.decided == COUNT, report
    (folder.path / "seconds").write_text(f"{took}")


def seconds(name: str) -> float | None:
    file = FOLDER / name / "seconds"
    return float(file.read_text()) if file.exists() else None


def tell() -> None:
    took = {name: found for name in ENGINES if (found := seconds(name)) is not None}
    for name, found in took.items():
        figure(f"backfill of {COUNT:,} papers, {name}", COUNT / found, "papers/s", note=f"{found:.0f} s")
    if "ray-1" in took and "ray-2" in took:
        figure("two Ray workers, times one", took["ray-1"] / took["ray-2"], "", limit=1.6, better="more")
    for one, other in itertools.pairwise(took):
        same = digest(one) == digest(other)
        figure(f"decisions of {other} the same as of {one}, byte by byte", float(same), "", limit=1, better="more")


def digest(name: str) -> str:
    with (FOLDER / name / DECISIONS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    if not INPUT.exists():
        write()
    for name in sys.argv[1:] or ENGINES:
        subprocess.run([sys.executable, "-m", "benchmarks.bench_backfill", "--part", name], check=True, env=os.environ)
    tell()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        part(sys.argv[2])
    else:
        main()
