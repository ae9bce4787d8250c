"""Tables, JSON, progress bars and the log: readable, and never obeyed by a terminal."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from scout import logs
from scout.cli import console, output
from scout.progress import SILENT

OBEYED = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
ANY_TEXT = st.text(st.characters(codec=None), max_size=40) | st.text(
    st.sampled_from([*OBEYED, "a", "\ud800"]), max_size=20
)


@given(ANY_TEXT)
def test_clean_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    left = output.clean(text)
    assert not set(left) & (set(OBEYED) - {"\t", "\n"})
    left.encode("utf-8")
    assert "\n" not in output.line(text)


@given(st.dictionaries(ANY_TEXT.filter(lambda t: "\ud800" not in t), ANY_TEXT.filter(lambda t: "\ud800" not in t)))
def test_json_is_the_same_value_and_obeyed_by_no_terminal(value: dict[str, str]) -> None:
    if any(0xD800 <= ord(c) <= 0xDFFF for text in (*value, *value.values()) for c in text):
        return
    kept = io.StringIO()
    before, sys.stdout = sys.stdout, kept
    try:
        output.emit_json(value)
    finally:
        sys.stdout = before
    assert json.loads(kept.getvalue()) == value
    assert not set(kept.getvalue()) & (set(OBEYED) - {"\n"})


def test_a_table_in_a_pipe_is_whole_and_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("id", "title"), [("a", "x" * 300), ("b", "two\nlines\tand a tab")], give_way="title")
    assert capsys.readouterr().out == f"a\t{'x' * 300}\nb\ttwo lines and a tab\n"


def test_a_table_on_a_terminal_fits_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    output.table(("id", "title"), [("a-rather-long-id", "[bold]x[/bold] " * 30), ("b", "漢字" * 40)], give_way="title")
    shown = capsys.readouterr().out.splitlines()
    assert click.unstyle(shown[0]).split() == ["id", "title"]
    assert all(cell_len(click.unstyle(line)) <= 60 for line in shown)
    assert "a-rather-long-id" in shown[1]
    assert "[bold]" in shown[1], "text from outside is no markup"


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=25), "1 d ago"),
        (timedelta(hours=-3), "in 3 h"),
    ],
)
def test_ago_in_one_word(back: timedelta, words: str) -> None:
    now = datetime(2025, 12, 2, tzinfo=UTC)
    assert output.ago(now - back, now) == words
    assert output.ago(None, now) == "never"


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    with console.progress() as bars:
        assert bars is SILENT


def test_progress_draws_each_stage_and_takes_steps_from_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    drawn = Terminal()
    monkeypatch.setattr(sys, "stderr", drawn)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress() as bars:
        bars.step("before any stage")
        bars.stage("ingest [red]", 8)
        threads = [threading.Thread(target=bars.step, args=("a\x1b[2Jfeed",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert isinstance(bars, console.Drawn)
        assert bars.bars.tasks[0].completed == 8
        bars.stage("triage")
        bars.step()
        bars.done()
        bars.done()
    assert "ingest [red]" in drawn.getvalue()
    assert "\x1b[2J" not in drawn.getvalue()


# ---- the log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "logs" / "log.jsonl"
    logs.start(path)
    yield path
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logs.SharedFileHandler):
            root.removeHandler(handler)
            handler.close()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_is_one_line_with_its_fields_and_its_run(log: Path) -> None:
    assert not log.parent.exists(), "nothing is made before there is something to say"
    with logs.running("run-1"):
        logging.getLogger("scout").info("polled %s", "a\nb", extra={"source": "arxiv", "items": 3})
    logging.getLogger("scout").info("after")
    first, second = lines(log)
    assert (first["event"], first["source"], first["items"], first["run"]) == ("polled a\nb", "arxiv", 3, "run-1")
    assert (second["event"], second["run"]) == ("after", None)
    assert datetime.fromisoformat(str(first["at"])).tzinfo is not None


def test_a_threads_lines_carry_the_run_too(log: Path) -> None:
    with logs.running("run-2"):
        thread = threading.Thread(target=logging.getLogger("scout").info, args=("from a thread",))
        thread.start()
        thread.join()
    assert lines(log)[0]["run"] == "run-2"


def test_starting_again_does_not_double_lines(log: Path) -> None:
    logs.start(log)
    logging.getLogger("scout").warning("once")
    assert len(lines(log)) == 1
    assert logs.current_file() == log


def test_what_libraries_chat_about_stays_out(log: Path) -> None:
    logging.getLogger("httpx").info("GET https://example.org")
    logging.getLogger("scout").info("ours")
    assert [line["event"] for line in lines(log)] == ["ours"]


def test_a_full_log_is_put_aside_and_three_older_ones_are_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs.SharedFileHandler))
    monkeypatch.setattr(handler, "max_bytes", 400)
    for number in range(60):
        logging.getLogger("scout").info("event", extra={"number": number})
    kept = sorted(path.name for path in log.parent.glob("log.jsonl*") if not path.name.endswith(".lock"))
    assert kept == ["log.jsonl", "log.jsonl.1", "log.jsonl.2", "log.jsonl.3"]
    numbers = [line["number"] for name in reversed(kept) for line in lines(log.parent / name)]
    assert numbers == list(range(60 - len(numbers), 60)), "what is kept has no gap"


WRITER = """
import logging, sys
from pathlib import Path
from scout import logs
logs.MAX_BYTES = 0
logs.start(Path(sys.argv[1]))
for handler in logging.getLogger().handlers:
    handler.max_bytes, handler.keep = 20_000, 1000
for number in range(300):
    logging.getLogger("scout").info("event", extra={"writer": sys.argv[2], "number": number})
"""


def test_processes_that_write_at_once_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n)], env=os.environ) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = [file for file in tmp_path.glob("log.jsonl*") if not file.name.endswith(".lock")]
    assert len(files) > 2, "it was put aside meanwhile"
    seen = sorted((str(line["writer"]), int(str(line["number"]))) for file in files for line in lines(file))
    assert seen == sorted((str(writer), number) for writer in range(3) for number in range(300))


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    logs.start(tmp_path / "file" / "log.jsonl")
    for _ in range(3):
        logging.getLogger("scout").info("event")
    complaints = capsys.readouterr().err
    assert complaints.count("cannot be written") == 1
    assert str(tmp_path / "file" / "log.jsonl") in complaints


def test_tail_gives_the_newest_lines_of_a_run_oldest_first(log: Path) -> None:
    for number in range(6):
        with logs.running(f"run-{number % 2}"):
            logging.getLogger("scout").info("event", extra={"number": number})
    log.write_text(log.read_text() + "half a li")
    assert [line["number"] for line in logs.tail(log, run="run-1")] == [1, 3, 5]
    assert [line["number"] for line in logs.tail(log, limit=2)] == [4, 5]
    assert logs.tail(log.with_name("absent")) == []
