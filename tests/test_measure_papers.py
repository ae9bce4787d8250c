"""Reading papers and picks: what is there is taken, what is wrong is named with its line."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest
from measure_samples import archive, write

from evals.papers import BadData, read_papers, read_picks

GOOD = {
    "id": "2511.00001",
    "day": "2025-11-03",
    "title": "A title",
    "abstract": "Text.",
    "authors": ["A"],
    "categories": ["cs.LG"],
}


@pytest.fixture
def file(tmp_path):
    def made(*records, raw: bytes | None = None):
        text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in records)
        (tmp_path / "papers.jsonl").write_bytes(text.encode() if raw is None else raw)
        return tmp_path / "papers.jsonl"

    return made


def test_papers_come_in_the_order_of_their_days(file):
    found = read_papers(file(GOOD | {"id": "b", "day": "2025-11-05"}, GOOD))
    assert [item.id for item in found.items] == ["arxiv:2511.00001", "arxiv:b"]
    assert found.days == (date(2025, 11, 3), date(2025, 11, 5))


def test_a_span_holds_its_first_day_and_not_its_last(file):
    found = read_papers(file(*(GOOD | {"id": str(n), "day": f"2025-11-0{n}"} for n in range(1, 6))))
    span = found.between(date(2025, 11, 2), date(2025, 11, 4))
    assert [item.id for item in span.items] == ["arxiv:2", "arxiv:3"]


def test_a_repeated_id_counts_once_and_is_told(file):
    found = read_papers(file(GOOD, GOOD | {"title": "Again"}))
    assert (len(found), found.repeated, found.items[0].title) == (1, 1, "A title")


def test_a_paper_may_lack_abstract_authors_and_comment(file):
    found = read_papers(file({"id": "x", "day": "2025-11-03", "title": "Alone", "abstract": None}))
    assert (found.items[0].text, found.items[0].authors, found.without_text) == ("", (), 1)


def test_gzip_is_known_by_its_bytes_not_by_its_name(file):
    assert len(read_papers(file(raw=gzip.compress(json.dumps(GOOD).encode())))) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: not a JSON object"),
        (GOOD | {"id": ""}, "line 2: no `id`"),
        (GOOD | {"id": "y", "day": "November"}, r"line 2 \(y\): `day`"),
        (GOOD | {"id": "y", "title": None}, r"line 2 \(y\): no `title`"),
        (GOOD | {"id": "y", "authors": "A, B"}, r"line 2 \(y\): `authors`"),
    ],
    ids=["cut", "list", "no-id", "day", "title", "authors"],
)
def test_a_bad_line_is_named(file, line, said):
    with pytest.raises(BadData, match=rf"papers\.jsonl, {said}"):
        read_papers(file(GOOD, line))


@pytest.mark.parametrize("raw", [b"\x1f\x8bbroken", b"\xff\xfe{}"], ids=["broken-gzip", "utf-16"])
def test_bytes_that_are_no_text_are_refused(file, raw):
    with pytest.raises(BadData, match=r"papers\.jsonl"):
        read_papers(file(raw=raw))


def test_picks_are_ids_with_or_without_upvotes(tmp_path):
    (tmp_path / "picks.json").write_text(json.dumps({"a": {"1": 20, "2": 3}, "b": ["arxiv:2"]}))
    assert read_picks(tmp_path / "picks.json") == {"a": {"arxiv:1", "arxiv:2"}, "b": {"arxiv:2"}}


@pytest.mark.parametrize("text", ["[]", "{}", '{"a": "2511.1"}', "nonsense"], ids=["list", "empty", "text", "no-json"])
def test_what_is_no_list_of_picks_is_refused(tmp_path, text):
    (tmp_path / "picks.json").write_text(text)
    with pytest.raises(BadData, match=r"picks\.json"):
        read_picks(tmp_path / "picks.json")


def test_what_is_written_is_read_back(tmp_path):
    papers, _ = write(tmp_path, archive(days=2, a_day=5), [])
    read = read_papers(tmp_path / "papers.jsonl")
    assert [item.id for item in read.items] == [item.id for item in archive(days=2, a_day=5).items]
    assert papers.endswith("papers.jsonl")
