"""A library of references comes in: BibTeX, RIS and CSL JSON as Zotero exports them, looked up, kept, and told where it names no paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_help import AT, PAPER, POST, fill, scout
from jsonschema import validate

from scout.config import load
from scout.items import Aspect, Item, ItemId, ItemKind, OutcomeKind
from scout.net.errors import FetchError
from scout.references.files import BadLibrary, read
from scout.references.importing import Keep, Taken, take
from scout.references.pasted import paper
from scout.references.ris import to_ris
from scout.store import Store

BIB = rb"""@article{lovelace2025,
	title = {Agents that {Plan}},
	author = {Lovelace, Ada and Borel, {\'E}mile},
	journal = {arXiv preprint arXiv:2511.21735 [cs]},
}

@misc{sheep, title = {Counting sheep}, doi = {10.1000/SHEEP}, author = {Doe, Jo}, abstract = {We count.}}
@book{nobody, title = {A book that names no paper}}
@misc{web, title = {A post}, url = {https://example.org/post?utm_source=zotero}}
@article{broken, title = {never closed
"""
RIS = b"""TY  - JOUR
ID  - lovelace2025
TI  - Agents that
  plan
AU  - Lovelace, Ada
AU  - Borel, Emile
M1  - arXiv:2511.21735
ER  -

TY  - JOUR
T1  - Counting sheep
DO  - 10.1000/sheep
ER  -
"""
CSL = json.dumps(
    [
        {"id": "lovelace2025", "title": "Agents that plan", "number": "arXiv:2511.21735",
         "author": [{"family": "Lovelace", "given": "Ada"}, {"literal": "A group"}], "issued": {"date-parts": [[2025]]}},
        {"id": 7, "title": "Counting sheep", "DOI": "10.1000/sheep", "author": "nobody"},
        "no reference",
    ]
).encode()  # fmt: skip


def taken(data: bytes, *, keep: Keep = Keep.SAVED, arxiv: Sequence[Item] | FetchError = ()) -> Taken:
    def look_up(ids: Sequence[ItemId]) -> list[Item]:
        if isinstance(arxiv, FetchError):
            raise arxiv
        return [item for item in arxiv if item.id in ids]

    with Store(load().database) as store:
        return take(store, read(data), reader="me", keep=keep, at=AT, look_up=look_up)


def saved() -> list[ItemId]:
    with Store(load().database) as store:
        return sorted(word.item_id for word in store.feedback.saved("me"))


@pytest.mark.parametrize("data", [BIB, RIS, CSL], ids=["BibTeX", "RIS", "CSL JSON"])
def test_a_library_of_each_kind_names_the_same_papers(data: bytes) -> None:
    found = [paper(each.fields) for each in read(data).references]
    assert [item.id for item in found if item][:2] == ["arxiv:2511.21735", "doi:10.1000/sheep"]
    assert found[0] is not None
    assert (found[0].title.lower(), found[0].authors[0]) == ("agents that plan", "Ada Lovelace")


def test_accents_and_groups_among_authors_are_read() -> None:
    bib, csl = paper(read(BIB).references[0].fields), paper(read(CSL).references[0].fields)
    assert bib is not None
    assert csl is not None
    assert (bib.authors, csl.authors) == (("Ada Lovelace", "Émile Borel"), ("Ada Lovelace", "A group"))


def test_what_is_known_is_saved_what_is_new_stands_in_its_own_words_and_the_rest_is_told_with_its_line() -> None:
    fill()
    found = taken(BIB)
    assert (found.references, found.known, found.told, found.saved, found.liked) == (4, 2, 1, 3, 0)
    assert [(line, key) for line, key, _ in found.unknown] == [(8, "nobody"), (10, "")]
    assert "no arXiv number, DOI or address" in found.unknown[0][2]
    assert saved() == [PAPER.id, "doi:10.1000/sheep", POST.id]
    with Store(load().database) as store:
        sheep = store.items.get("doi:10.1000/sheep")
        assert sheep is not None
        assert (sheep.text, sheep.authors, sheep.source, sheep.backlog) == ("We count.", ("Jo Doe",), "import", True)
        known = store.items.get(PAPER.id)
        assert known is not None
        assert (known.title, known.text) == (PAPER.title, PAPER.text)  # stays as it was
        assert {word.origin for word in store.feedback.saved("me")} == {"import"}


def test_done_twice_it_changes_nothing_twice() -> None:
    fill()
    taken(BIB, keep=Keep.BOTH)
    again = taken(BIB, keep=Keep.BOTH)
    assert (again.known, again.told, again.saved, again.liked) == (3, 0, 0, 0)


def test_liked_is_a_thumb_that_is_given_once_and_never_against_another() -> None:
    fill()
    assert scout("feedback", PAPER.id, "down").code == 0
    assert taken(BIB, keep=Keep.LIKED).liked == 2
    with Store(load().database) as store:
        assert store.feedback.current("me")[PAPER.id][Aspect.THUMB].value == "down"
    assert saved() == []


def test_arxiv_is_asked_for_what_is_new_and_its_word_stands() -> None:
    better = Item(
        id="arxiv:2511.21735", kind=ItemKind.PAPER, title="Agents that plan, by arXiv", url="https://arxiv.org/abs/2511.21735",
        text="All of it.", source="arxiv", published=datetime(2025, 11, 20, tzinfo=UTC),
    )  # fmt: skip
    found = taken(RIS, arxiv=[better])
    assert (found.fetched, found.told) == (1, 1)
    with Store(load().database) as store:
        assert store.items.get(better.id) == better


def test_where_arxiv_is_away_the_files_own_words_stand_and_it_is_told() -> None:
    found = taken(RIS, arxiv=FetchError(OutcomeKind.UNREACHABLE, "no connection"))
    assert (found.fetched, found.told, found.saved, found.trouble) == (0, 2, 2, "no connection")
    untitled = taken(b"@misc{a, eprint = {2512.00009}}")
    assert untitled.unknown == ((1, "a", "arxiv:2512.00009 is not known here nor at arXiv, and has no title"),)


def test_what_was_deleted_here_does_not_come_back() -> None:
    fill()
    with Store(load().database) as store:
        store.items.delete(PAPER.id, AT)
    assert [why for _, _, why in taken(RIS).unknown] == ["arxiv:2511.21735 was deleted here"]


@pytest.mark.parametrize(
    "data", [b"", b"words", b"[1", b"\xff\xfe\x00", b"{" * 10_000, b"[" * 100_000, b'"text"', b"<xml/>"],
    ids=["nothing", "words", "broken JSON", "bytes", "braces", "brackets", "a string", "xml"],
)  # fmt: skip
def test_what_is_no_library_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadLibrary):
        read(data)


def test_a_key_that_is_there_twice_is_read_twice() -> None:
    library = read(b"@misc{a, title={x}, doi={10.1000/a}}\n@misc{a, title={y}, doi={10.1000/b}}")
    assert [(each.line, each.fields["title"]) for each in library.references] == [(1, "x"), (2, "y")]


def test_an_address_in_a_library_is_never_fetched_and_none_but_web_addresses_is_shown() -> None:
    found = taken(
        b"@misc{a, title={x}, doi={10.1000/a}, url={javascript:alert(1)}}\n@misc{b, title={y}, url={file:///etc/passwd}}"
    )
    with Store(load().database) as store:
        assert [(stored.item.id, stored.item.url) for stored in store.items.listing()] == [("doi:10.1000/a", "")]
    assert [key for _, key, _ in found.unknown] == ["b"]
    shouted = paper({"title": "x", "url": "HTTPS://example.org/Post"})
    assert shouted is not None
    assert shouted.url == "https://example.org/Post"


def test_the_command_tells_it_and_has_json(tmp_path: Path) -> None:
    fill()
    file = tmp_path / "library.bib"
    file.write_bytes(BIB)
    told = scout("import", str(file), "--offline")
    assert told.out.splitlines()[0] == (
        "4 references: 2 known here, 0 fetched from arXiv, 1 in the file's own words. 3 newly saved, 0 newly liked."
    )
    assert f"{file}, 8, nobody: no arXiv number, DOI or address" in told.out
    found = scout("import", "-", "--offline", "--as", "liked", "--json", stdin=BIB).json
    validate(
        found, json.loads((Path(__file__).parents[1] / "docs/schemas/import.schema.json").read_text(encoding="utf-8"))
    )
    assert found["liked"] == 3
    assert scout("import", "-", "--offline", stdin=b"words").code == 1


def test_what_goes_out_as_ris_comes_in_again() -> None:
    evil = Item(
        id="url:example.org/x", kind=ItemKind.POST, title="x\nER  - \nTY  - JOUR", url="https://example.org/x", text="a\nDO  - 10.1/b",
        source="s", authors=("Ada Lovelace",),
    )  # fmt: skip
    back = [paper(each.fields) for each in read(to_ris([PAPER, evil]).encode()).references]
    assert [item.id for item in back if item] == [PAPER.id, evil.id]
    assert back[0] is not None
    assert back[0].authors == PAPER.authors
    fill()
    scout("feedback", PAPER.id, "save")
    assert "AN  - arXiv:2511.21735" in scout("items", "--saved", "--ris").out
    assert scout("items", "--ris", "--json").code == 2
