"""Documents as plain text: what a person would read is kept, what surrounds it is not, links to code stay."""

from __future__ import annotations

import pytest
from agent_samples import pdf

from scout.agent import documents, outside
from scout.agent.documents import Unreadable
from scout.net.errors import FetchError

ARXIV = b"""<html><body><nav>skip to content</nav><article class="ltx_document extra"><h1>On heads</h1><nav>contents</nav>
<p>We use <math alttext="O(n^2)"><mi>O</mi><mo>(</mo></math> steps, not <math><mi>x</mi></math> more.</p>
<p>See <a href="https://github.com/lab/heads">our code</a> and <a href="https://evil.example/x">this</a>.</p>
<script>alert(1)</script><footer>made by a tool</footer></article><footer>generated page</footer></body></html>"""


def test_an_arxiv_page_gives_its_article_with_formulas_and_links_to_code() -> None:
    text = documents.arxiv_html(ARXIV)
    assert "We use $O(n^2)$ steps, not more." in text
    assert "our code (https://github.com/lab/heads)" in text
    for gone in ("skip", "contents", "alert", "generated", "made by", "evil.example"):
        assert gone not in text


def test_a_page_in_another_layout_is_no_arxiv_article() -> None:
    with pytest.raises(Unreadable, match="layout"):
        documents.arxiv_html(b"<html><body><p>No HTML for this paper</p></body></html>")


def test_a_web_page_gives_its_main_text() -> None:
    body = b"".join(
        b"<p>Paragraph %d tells at some length what was built and how it was measured.</p>" % n for n in range(5)
    )
    page = b"<html><body><nav><a href='/'>Home</a></nav><article><h1>Title</h1>" + body
    page += b"<p>All of it is in <a href='https://github.com/lab/x'>the repository</a>.</p></article></body></html>"
    text = documents.page(page)
    assert "Paragraph 3 tells" in text
    assert "https://github.com/lab/x" in text
    assert "Home" not in text


def test_a_pdf_gives_its_words_with_links_to_code_and_words_cut_at_line_ends_whole() -> None:
    lines = ["We train a network with twelve lay-", "ers and measure it on four bench-", "marks, three seeds each."]
    text = documents.pdf(pdf(lines, "https://github.com/lab/twelve"))
    assert "twelve layers and measure it on four benchmarks" in text
    assert text.endswith("https://github.com/lab/twelve")


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\n", b"%PDF-1.4\ntrailer << /Root 9 0 R >>", pdf([""]), b"x" * 1000])
def test_a_pdf_without_text_is_unreadable_and_takes_nothing_down(data: bytes) -> None:
    with pytest.raises(FetchError):
        outside.read("pdf", data)


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff\xfe", b"<" * 20_000, b"<div>" * 50_000, b"<article class='ltx_document'>"]
)
def test_broken_pages_are_unreadable(data: bytes) -> None:
    for kind in ("arxiv-html", "page"):
        with pytest.raises(FetchError):
            outside.read(kind, data)
