"""A backfill decides on every paper once: killed it goes on, done it does nothing, and what it found can be looked up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
from backfill_samples import READER, asking, judge, named, old, plan_of, record, rows, run, write
from cli_help import scout
from scripted_server import ScriptedServer, status

from scout.backfill import local, months
from scout.backfill.chunks import Chunk, Selection, Tally, chunks
from scout.backfill.engine import EngineStopped
from scout.backfill.folder import DECISIONS, Folder, OtherPlan
from scout.backfill.judge import row_of
from scout.config import load as load_settings
from scout.items import Aspect, Feedback, Lane
from scout.locks import Locked
from scout.store import Store

SCHEMAS = Path(__file__).resolve().parents[1] / "docs" / "schemas"
NOW = datetime(2025, 12, 2, 7, tzinfo=UTC)
KILLED = """
import os, signal, sys
from pathlib import Path
from backfill_samples import run
from scout.backfill.judge import judged

def engine(chunks, judge):
    for chunk in chunks:
        if chunk.number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield judged(chunk, judge)

run(Path(sys.argv[1]), engine, Path(sys.argv[2]))
"""


def chunks_of(file: Path) -> Iterator[Chunk]:
    return chunks(named([file]), Selection(), Tally(), size=20)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    return write(tmp_path / "papers.jsonl", (record(old(n)) for n in range(130)))


def test_every_paper_gets_the_decision_that_the_policy_makes_of_it_alone(papers: Path, tmp_path: Path) -> None:
    report = run(tmp_path / "out", local.engine(1), papers)
    assert (report.decided, report.kept, report.is_done) == (130, 0, True)
    policy = judge().policy()
    assert rows(tmp_path / "out") == [row_of(old(n), policy.decide([old(n)])[0]) for n in range(130)]


def test_several_processes_give_the_same_rows_in_the_same_order(papers: Path, tmp_path: Path) -> None:
    run(tmp_path / "one", local.engine(1), papers)
    run(tmp_path / "two", local.engine(2), papers)
    assert (tmp_path / "two" / DECISIONS).read_bytes() == (tmp_path / "one" / DECISIONS).read_bytes()


def test_killed_it_goes_on_and_decides_on_no_paper_again(papers: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out"), str(papers)]
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert Folder(tmp_path / "out").done() == {0, 1, 2}
    report = run(tmp_path / "out", local.engine(1), papers)
    assert (report.kept, report.decided) == (60, 70)
    run(tmp_path / "undisturbed", local.engine(1), papers)
    assert rows(tmp_path / "out") == rows(tmp_path / "undisturbed")


def test_done_it_decides_nothing_and_says_what_it_said(papers: Path, tmp_path: Path) -> None:
    run(tmp_path / "out", local.engine(1), papers)
    first = rows(tmp_path / "out")
    report = run(tmp_path / "out", local.engine(1), papers)
    assert (report.decided, report.kept) == (0, 130)
    assert rows(tmp_path / "out") == first


def test_it_goes_on_with_the_policy_it_began_with(papers: Path, tmp_path: Path) -> None:
    folder, plan = Folder(tmp_path / "out"), plan_of(papers)
    folder.begin(plan, judge())
    later = replace(judge(), version="linear-2:later")
    assert run(folder.path, local.engine(1), papers, by=later).judge.version == judge().version
    assert run(folder.path, local.engine(1), papers, by=later, fresh=True).judge.version == "linear-2:later"


def test_a_folder_of_other_papers_is_left_alone(papers: Path, tmp_path: Path) -> None:
    run(tmp_path / "out", local.engine(1), papers)
    with pytest.raises(OtherPlan, match="--fresh"):
        run(tmp_path / "out", local.engine(1), papers, limit=5)
    assert len(rows(tmp_path / "out")) == 130


def test_two_at_once_in_one_folder_are_refused(tmp_path: Path) -> None:
    with Folder(tmp_path).held(), pytest.raises(Locked, match="another backfill"), Folder(tmp_path).held():
        pass


def test_a_worker_process_that_ends_is_told_and_what_was_done_is_kept(papers: Path, tmp_path: Path) -> None:
    outcomes = local.engine(2)(chunks_of(papers), judge())
    first = next(outcomes)
    children = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    for child in children:
        child.kill()
    assert children
    with pytest.raises(EngineStopped, match="run it again"):
        list(outcomes)
    assert first.papers == 20


# --- months


def test_of_each_month_the_best_come_first_without_what_the_reader_has_met() -> None:
    policy = judge().policy()
    made = [row_of(old(n), policy.decide([old(n)])[0]) for n in range(40)]
    wanted = [row for row in made if row["lane"] != "skip" and row["published"][:7] == "2024-01"]
    met = {wanted[0]["id"]}
    january, *others = months.months(made, top=2, met=met)
    assert (january.month, january.papers, january.met) == ("2024-01", 9, 1)
    assert january.read + january.unsure == len(wanted)
    left = sorted((row for row in wanted if row["id"] not in met), key=lambda row: -row["probability"])
    assert [row["id"] for row in january.top] == [row["id"] for row in left[:2]]
    assert [each.month for each in others] == ["2024-02", "2024-03", "2024-04", "2024-05"]


def test_papers_without_a_date_come_last() -> None:
    policy = judge().policy()
    items = [replace(old(0), published=None), old(1)]
    made = [row_of(item, decision) for item, decision in zip(items, policy.decide(items), strict=True)]
    assert [each.month for each in months.months(made, top=1)] == ["2024-01", "undated"]


# --- the command


@pytest.fixture
def installed() -> Iterator[Store]:
    """A reader who likes agents, with a hundred papers of this year."""
    with Store(load_settings().database) as store:
        items = [replace(old(n), id=f"arxiv:2511.{n:05d}", published=NOW) for n in range(1000, 1100)]
        store.items.add(items, NOW)
        store.readers.ensure(READER, NOW)
        for item in items[:40]:
            up = "up" if "cs.MA" in item.categories else "down"
            store.feedback.add(Feedback(READER, item.id, Aspect.THUMB, up, NOW))
        yield store


def fits(value: Any, name: str) -> None:
    jsonschema.validate(value, json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def test_the_command_shows_the_best_of_each_month_and_keeps_all_decisions(installed: Store, papers: Path) -> None:
    done = scout("backfill", str(papers), "--json", "--top", "3")
    assert done.code == 0
    fits(done.json, "backfill")
    assert done.json["papers"] == done.json["decided"] == 130
    kept = list(Folder(Path(done.json["folder"])).rows())
    assert len(kept) == 130
    for row in kept:
        fits(row, "backfill-row")
    best = done.json["months"][0]["top"]
    assert len(best) == 3
    assert {row["subject"] for row in best} == {"agents"}


def test_what_is_no_paper_is_named_and_the_rest_is_decided(installed: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "papers.jsonl", [record(old(0)), "no JSON", record(old(1))])
    done = scout("backfill", str(file))
    assert done.code == 0
    assert "papers.jsonl, line 2: not JSON" in done.out
    assert "2 papers for me" in done.out


def test_a_second_time_decides_nothing_and_a_newer_policy_is_said(installed: Store, papers: Path) -> None:
    first = scout("backfill", str(papers), "--json").json
    installed.feedback.add(Feedback(READER, "arxiv:2511.01050", Aspect.THUMB, "up", NOW))
    again = scout("backfill", str(papers), "--json").json
    assert (again["decided"], again["kept"], again["months"]) == (0, 130, first["months"])
    scout("triage")
    assert "no longer serves; --fresh" in scout("backfill", str(papers)).err
    assert scout("backfill", str(papers), "--fresh", "--json").json["policy"] != first["policy"]


def test_what_it_found_can_be_put_into_the_database_once_and_teaches_no_policy(installed: Store, papers: Path) -> None:
    before = [item.id for item in installed.items.recent(3000)]
    done = scout("backfill", str(papers), "--add", "--json").json
    found = done["lanes"]["read"] + done["lanes"]["unsure"]
    assert 0 < found < 130
    assert done["added"] == {"items": found, "decisions": found}
    assert scout("backfill", str(papers), "--add", "--json").json["added"] == {"items": 0, "decisions": 0}
    best = done["months"][0]["top"][0]
    assert scout("show", best["id"], "--json").json["decision"]["probability"] == best["probability"]
    assert scout("feedback", best["id"], "up").code == 0
    assert [item.id for item in installed.items.recent(3000)] == before
    assert installed.items.waiting(0, NOW.replace(year=2023)) == 100, "no digest takes them up"


def test_a_decision_that_stands_is_not_replaced(installed: Store, papers: Path) -> None:
    item = next(old(n) for n in range(130) if "cs.MA" in old(n).categories)
    installed.items.add([item], NOW)
    stands = replace(judge().policy().decide([item])[0], policy="llm-1:small", lane=Lane.READ, probability=0.123)
    installed.decisions.write([stands], NOW)
    scout("backfill", str(papers), "--add")
    assert installed.decisions.of(READER, [item.id])[item.id].policy == "llm-1:small"


def test_what_is_stored_and_undecided_is_decided_for_a_new_reader(installed: Store) -> None:
    installed.readers.ensure("ada", NOW)
    done = scout("backfill", "--undecided", "--reader", "ada", "--add", "--json").json
    assert (done["papers"], done["added"]) == (100, {"items": 0, "decisions": 100})
    again = scout("backfill", "--undecided", "--reader", "ada")
    assert again.code == 1
    assert "undecided for ada" in again.err


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ([], 2, "give FILES"),
        (["{papers}", "--address", "127.0.0.1:1"], 2, "--engine ray"),
        (["{papers}", "--model"], 2, "model.base_urls"),
        (["{papers}", "--reader", "nobody"], 1, "no reader 'nobody'"),
        (["{papers}", "--since", "2030-01-01"], 1, "no paper like that"),
        (["{nonsense}"], 1, "none of the 2 records"),
        (["/no/such/file"], 2, "does not exist"),
    ],
)
def test_what_cannot_be_is_said(
    given: list[str], code: int, says: str, installed: Store, papers: Path, tmp_path: Path
) -> None:
    nonsense = write(tmp_path / "nonsense.jsonl", ["a", "b"])
    done = scout("backfill", *(each.format(papers=papers, nonsense=nonsense) for each in given))
    assert done.code == code
    assert says in done.err


def test_without_ray_it_says_what_to_install(installed: Store, papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = scout("backfill", str(papers), "--engine", "ray")
    assert done.code == 78
    assert 'pip install "scout[ray]"' in done.err


def test_without_any_item_it_says_what_to_do_first(papers: Path) -> None:
    with Store(load_settings().database) as store:
        store.readers.ensure(READER, NOW)
    done = scout("backfill", str(papers))
    assert done.code == 1
    assert "`scout run`" in done.err


# --- with a model


def test_what_is_not_skipped_is_put_to_the_model_and_the_rest_is_not(
    papers: Path, tmp_path: Path, server: ScriptedServer
) -> None:
    report = run(tmp_path / "out", local.engine(1), papers, by=asking(server.base_url))
    embedded = {old(n).id: judge().policy().decide([old(n)])[0] for n in range(130)}
    wanted = {id for id, decision in embedded.items() if decision.lane is not Lane.SKIP}
    moved = {row["id"] for row in rows(tmp_path / "out") if row["policy"].startswith("llm-1:")}
    assert report.is_done
    assert moved == wanted
    assert len(server.chats) == 2 * len(wanted), "each is routed and rated"


def test_a_model_that_goes_away_stops_it_and_what_was_done_is_kept(
    papers: Path, tmp_path: Path, server: ScriptedServer
) -> None:
    server.trouble = lambda request: status(503) if len(server.chats) > 40 else None
    report = run(tmp_path / "out", local.engine(1), papers, by=asking(server.base_url))
    assert report.trouble is not None
    assert not report.is_done
    assert 0 < report.decided < 130
    server.trouble = lambda request: None
    again = run(tmp_path / "out", local.engine(1), papers, by=asking(server.base_url))
    assert (again.kept, again.decided) == (report.decided, 130 - report.decided)
    run(tmp_path / "undisturbed", local.engine(1), papers, by=asking(server.base_url))
    assert rows(tmp_path / "out") == rows(tmp_path / "undisturbed")
