"""Files of papers: every form that is known becomes the same paper, and a bad line is named while the rest goes on."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from backfill_samples import named, old, record, write
from hypothesis import given
from hypothesis import strategies as st

from scout.backfill.chunks import NAMED, Selection, Tally, chunks
from scout.backfill.files import LONGEST_LINE, BadPapers, look, records
from scout.backfill.records import BadRecord, item_of
from scout.items import ItemKind

SNAPSHOT = {
    "id": "0704.0001", "submitter": "Pavel", "authors": "C. Bal\\'azs, E. L. Berger and C.-P. Yuan", "title": "Calculation of\n  prompt",
    "comments": "37 pages", "doi": None, "categories": "hep-ph cs.LG", "abstract": "  A fully\n  differential calculation.\n",
    "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}], "update_date": "2008-11-26",
}  # fmt: skip


def read(*files: Path, size: int = 3, **selection: Any) -> tuple[list[list[str]], Tally]:
    tally = Tally()
    found = chunks(named(files), Selection(**selection), tally, size=size)
    return [[item.id[-2:] for item in chunk.items] for chunk in found], tally


def test_a_line_of_arxivs_metadata_is_the_paper_it_was_made_of() -> None:
    assert item_of(record(old(7))) == old(7)


def test_a_line_of_arxivs_snapshot_is_a_paper_with_the_day_of_its_first_version() -> None:
    found = item_of(SNAPSHOT)
    assert found.id == "arxiv:0704.0001"
    assert found.kind is ItemKind.PAPER
    assert (found.title, found.text) == ("Calculation of prompt", "A fully differential calculation.")
    assert found.authors == ("C. Bal\\'azs", "E. L. Berger", "C.-P. Yuan")
    assert found.categories == ("hep-ph", "cs.LG")
    assert found.published == datetime(2007, 4, 2, 19, 18, 42, tzinfo=UTC)
    assert found.comment == "37 pages"


def test_without_dates_of_versions_the_day_of_the_last_change_counts() -> None:
    assert item_of({**SNAPSHOT, "versions": []}).published == datetime(2008, 11, 26, tzinfo=UTC)


def test_versions_of_a_paper_are_one_paper() -> None:
    assert item_of({**SNAPSHOT, "id": "0704.0001v3"}).id == "arxiv:0704.0001"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"id": None}, "no `id`"),
        ({"id": "seventeen"}, "no arXiv number"),
        ({"title": "  "}, "no `title`"),
        ({"abstract": ["x"]}, "`abstract` is no text"),
        ({"authors": [{"name": "Ada"}]}, "`authors` is no list"),
        ({"day": "yesterday"}, "`day` is no day"),
        ({"row": "{}"}, "no row of the archive"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        item_of(record(old(1)) | wrong)


ANYTHING = st.recursive(st.none() | st.text(max_size=20) | st.integers(), lambda each: st.lists(each, max_size=3))
KEYS = st.sampled_from(["id", "title", "text", "authors", "published", "versions", "url", "row"])


@given(st.dictionaries(KEYS, ANYTHING), st.booleans())
def test_whatever_a_record_holds_it_is_a_paper_or_a_bad_record(told: dict[str, Any], is_paper: bool) -> None:
    with suppress(BadRecord):
        assert item_of(record(old(1)) | told if is_paper else told).title


def test_bad_lines_are_counted_and_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [record(old(0)), "{", "[]", "", record(old(1)) | {"id": 5}, record(old(2))]
    file = write(tmp_path / "papers.jsonl", lines)
    file.write_bytes(
        file.read_bytes() + b'{"id": "\xff"}\n' + b" " * LONGEST_LINE + b"x\n" + json.dumps(record(old(3))).encode()
    )
    found, tally = read(file, size=10)
    assert found == [["00", "02", "03"]]
    assert tally.bad == 5
    said = dict(tally.faults)
    assert said.keys() == {f"papers.jsonl, line {n}" for n in (2, 3, 5, 7, 8)}
    assert "longer than" in said["papers.jsonl, line 8"]


def test_of_very_many_bad_lines_the_first_ones_are_named(tmp_path: Path) -> None:
    _, tally = read(write(tmp_path / "papers.jsonl", ["nonsense"] * 50))
    assert (tally.bad, len(tally.faults)) == (50, NAMED)


def test_a_paper_that_comes_again_counts_once_over_all_files(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", map(record, map(old, (0, 1, 1))))
    two = write(tmp_path / "b.jsonl.gz", map(record, map(old, (1, 2, 3))))
    found, tally = read(one, two)
    assert found == [["00", "01", "02"], ["03"]]
    assert tally.repeated == 2


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        ({"since": date(2024, 1, 11)}, ["02", "03", "04", "05"]),
        ({"before": date(2024, 1, 11)}, ["00", "01"]),
        ({"since": date(2024, 1, 8), "before": date(2024, 1, 14)}, ["01", "02"]),
        ({"categories": ("cs.CV", "q-bio.BM")}, ["01", "02", "05"]),
        ({"limit": 4}, ["00", "01", "02", "03"]),
        ({"limit": 1, "categories": ("cs.CV",)}, ["01"]),
    ],
)
def test_only_what_is_meant_is_taken(selection: dict[str, Any], ids: list[str], tmp_path: Path) -> None:
    found, tally = read(write(tmp_path / "papers.jsonl", map(record, map(old, range(6)))), size=100, **selection)
    assert found == [ids]
    assert tally.papers == len(ids)


def test_a_paper_without_a_date_is_in_no_span_of_days() -> None:
    undated = replace(old(1), published=None)
    assert not Selection(before=date(2030, 1, 1)).holds(undated)
    assert Selection().holds(undated)


def test_parquet_gives_the_same_papers_as_lines(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow (the extra `archive` or `ray`)")
    parquet = pytest.importorskip("pyarrow.parquet")
    made = [record(old(n)) for n in range(5)]
    parquet.write_table(arrow.Table.from_pylist(made), tmp_path / "papers.parquet")
    write(tmp_path / "papers.jsonl", made)
    of_table, of_lines = (
        [item_of(found) for _, found in records(tmp_path / name) if not isinstance(found, BadRecord)]
        for name in ("papers.parquet", "papers.jsonl")
    )
    assert of_table == of_lines == [old(n) for n in range(5)]
    assert look(tmp_path / "papers.parquet").records == 5


def test_a_file_that_ends_amid_its_data_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "papers.jsonl.gz", map(record, map(old, range(50))))
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(BadPapers, match=r"papers\.jsonl\.gz cannot be read"):
        look(file)


def test_a_file_is_known_again_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [record(old(0))])
    two = write(tmp_path / "b.jsonl", [record(old(0))])
    three = write(tmp_path / "c.jsonl", [record(old(1))])
    assert look(one).digest == look(two).digest != look(three).digest
