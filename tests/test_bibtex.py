"""Saved items as BibTeX: read back by the library that reads what people paste."""

from __future__ import annotations

from dataclasses import replace

from bibtexparser.entrypoint import parse_string
from cli_help import PAPER, POST, fill, scout

from scout.references.bibtex import to_bibtex
from scout.references.pasted import parse_pasted


def test_what_goes_out_comes_in_again_as_the_same_paper() -> None:
    back = parse_pasted(to_bibtex([PAPER]))
    assert back.ids == (PAPER.id,)
    assert (back.items[0].authors, back.unclear) == (PAPER.authors, ())


def test_every_key_is_there_once() -> None:
    library = parse_string(to_bibtex([PAPER, replace(PAPER, id="arxiv:2511.00001"), POST]))
    assert [entry.key for entry in library.entries] == ["lovelace2025agents", "lovelace2025agents-2", "examplepost"]
    assert not library.failed_blocks


def test_a_title_cannot_end_its_entry() -> None:
    evil = replace(POST, title="x}}\n@article{evil, title={y}", authors=("A} B",), url="https://example.org/a}b")
    library = parse_string(to_bibtex([evil]))
    assert len(library.entries) == 1
    assert not library.failed_blocks


def test_only_what_was_saved_is_printed_for_zotero() -> None:
    fill()
    assert scout("feedback", PAPER.id, "save").code == 0
    printed = scout("items", "--saved", "--bibtex").out
    assert "eprint = {2511.21735}" in printed
    assert POST.url not in printed
    assert [item["id"] for item in scout("items", "--saved", "--json").json] == [PAPER.id]
    assert scout("items", "--bibtex", "--json").code == 2
