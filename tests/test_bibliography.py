"""Papers as a person pastes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scout.references.pasted import parse_pasted

ENTRY = """@article{lee, title={Deep {R}ein}, author={Lee, Ann and Bo Ek}, eprint={2401.00001}, abstract={What we
did}}"""


def test_ids_and_addresses_of_every_form_are_understood_once_each() -> None:
    text = "https://arxiv.org/abs/2511.21735v2, arXiv:2511.21735\n2501.12948; https://doi.org/10.1000/XYZ"
    assert parse_pasted(text).ids == ("arxiv:2511.21735", "arxiv:2501.12948", "doi:10.1000/xyz")


def test_a_bibtex_entry_tells_a_whole_paper() -> None:
    (item,) = parse_pasted(ENTRY).items
    assert (item.id, item.title, item.authors, item.text) == (
        "arxiv:2401.00001", "Deep Rein", ("Ann Lee", "Bo Ek"), "What we did",
    )  # fmt: skip
    assert item.backlog


def test_an_entry_without_any_id_gets_one_from_its_title() -> None:
    first, again = (parse_pasted(f"@misc{{{key}, title={{Some Paper}}}}").ids for key in ("a", "b"))
    assert first == again
    assert first[0].startswith("guid:pasted:")


def test_what_is_no_paper_is_named_and_the_rest_goes_on() -> None:
    pasted = parse_pasted(f"what is this\n{ENTRY}\n2501.12948")
    assert pasted.ids == ("arxiv:2401.00001", "arxiv:2501.12948")
    assert pasted.unclear == ("what is this",)


def test_a_javascript_address_is_no_paper() -> None:
    assert parse_pasted("javascript:alert(1)").ids == ()


@given(st.text(max_size=200))
def test_no_text_is_a_fault(text: str) -> None:
    pasted = parse_pasted(text)
    assert len(set(pasted.ids)) == len(pasted.ids)


@given(st.text(alphabet='@{}=,"article title\n\\', max_size=80))
def test_broken_bibtex_is_no_fault(text: str) -> None:
    assert isinstance(parse_pasted("@article{" + text).unclear, tuple)
