"""A repository's archive: plain files come out as text, whatever else is in it is refused, and nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import tarfile

import pytest
from agent_samples import archive as packed
from agent_samples import link

from scout.agent import archive, outside
from scout.agent.documents import Unreadable
from scout.items import OutcomeKind
from scout.net.errors import FetchError


def test_files_are_listed_with_their_text_below_the_commits_folder() -> None:
    read = archive.files(packed(("r-HEAD/b.py", b"x = 1\n"), ("r-HEAD/a/README.md", "Größe".encode())))
    assert read["files"] == [["a/README.md", 7, "Größe"], ["b.py", 6, "x = 1\n"]]
    assert (read["refused"], read["left_out"]) == ([], "")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (link("r/outside", "../../etc/passwd"), "a link, to ../../etc/passwd"),
        (link("r/inside", "r/a.py"), "a link"),
        (link("r/hard", "/etc/shadow", tarfile.LNKTYPE), "a link"),
        (link("r/disk", "", tarfile.BLKTYPE), "no plain file"),
        (link("r/tty", "", tarfile.CHRTYPE), "no plain file"),
        (link("r/pipe", "", tarfile.FIFOTYPE), "no plain file"),
        (("/etc/passwd", b"x"), "leads out"),
        (("r/../../passwd", b"x"), "leads out"),
        (("r/..", b"x"), "leads out"),
        (("r/a\\..\\b", b"x"), "leads out"),
        (("r/a\x1b[2Jb", b"x"), "leads out"),
        (("passwd", b"x"), "beside"),
        (("r/a.py", b"second"), "a second time"),
        (("r/" + "x" * 400, b"x"), "too long"),
    ],
)
def test_what_is_no_plain_file_inside_is_refused_and_named(entry: tarfile.TarInfo, why: str) -> None:
    read = archive.files(packed(("r/a.py", b"first"), entry))
    assert read["files"] == [["a.py", 5, "first"]]
    [(_, said)] = read["refused"]
    assert why in said


def test_binary_and_large_files_are_listed_without_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE", 10)
    read = archive.files(packed(("r/a.bin", b"\x00\x01"), ("r/b.txt", b"x" * 11), ("r/c.txt", b"\xff\xfe")))
    assert read["files"] == [["a.bin", 2, None], ["b.txt", 11, None], ["c.txt", 2, None]]


def test_reading_stops_at_a_bomb_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 200_000)
    read = archive.files(packed(("r/a.py", b"first"), ("r/zeros", bytes(3_000_000)), ("r/b.py", b"never")))
    assert read["files"][0] == ["a.py", 5, "first"]
    assert "b.py" not in [path for path, *_ in read["files"]]
    assert "200,000 bytes" in read["left_out"]


def test_reading_stops_at_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    read = archive.files(packed(*((f"r/{n}", b"x") for n in range(9))))
    assert len(read["files"]) == 3
    assert "more than 3" in read["left_out"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>no</html>", id="html"),
        pytest.param(gzip.compress(b"no tar at all"), id="gzip-of-text"),
        pytest.param(packed(("r/a", b"x"))[:40], id="cut-off"),
    ],
)
def test_what_is_no_archive_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        archive.files(data)


def test_an_archive_that_breaks_off_gives_what_came_before() -> None:
    import random

    noise = random.Random(0).randbytes(60_000).hex().encode()
    whole = packed(("r/a.py", b"first"), ("r/b.py", noise))
    read = archive.files(whole[: len(whole) // 2])
    assert read["files"][0] == ["a.py", 5, "first"]
    assert read["left_out"] == "the archive breaks off"


def test_the_process_that_reads_it_gives_the_same_and_its_limits_hold() -> None:
    data = packed(("r/a.py", b"first"), link("r/outside", "/etc/passwd"))
    assert outside.read("archive", data) == archive.files(data)
    with pytest.raises(FetchError) as slow:
        outside.read("archive", data, seconds=0.01)
    assert slow.value.kind is OutcomeKind.TOO_SLOW
    with pytest.raises(FetchError) as odd:
        outside.read("archive", b"no archive")
    assert odd.value.kind is OutcomeKind.UNREADABLE
    with pytest.raises(FetchError) as large:
        outside.read("archive", bytes(90_000_000), megabytes=90)
    assert large.value.kind is OutcomeKind.TOO_LARGE
