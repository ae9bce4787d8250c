"""Text as people read it: markup gone, TeX readable, sentences where they end."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.text import line, plain, sentences, tex_to_plain, tidy


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One&nbsp;<b>bo</b>ld.</p><p>Two &amp; three.</p>", "One bold.\n\nTwo & three."),
        ("a<br>b<br/><br/>c", "a b\n\nc"),
        ("<ul><li>one<li>two</ul>", "one\n\ntwo"),
        ("<script>alert(1)</script>seen<style>p{}</style><!-- not -->", "seen"),
        ("<img src=x onerror=alert(1)>left", "left"),
        ("&lt;script&gt; is a tag", "<script> is a tag"),
        ("x \u202etxet\u202c\x00\x07 \u200bz\ufeff", "x txet z"),
        ("  hard\nwrapped\n  text\n\n\nnew paragraph ", "hard wrapped text\n\nnew paragraph"),
        ("tag \U000e0041\U000e0042 letters", "tag letters"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("", ""),
    ],
)
def test_html_becomes_the_text_a_reader_sees(html: str, expected: str) -> None:
    assert plain(html) == expected


def test_an_emoji_made_of_several_characters_stays_whole() -> None:
    assert plain("<i>👩‍🔬</i>") == "👩‍🔬"


def test_long_text_is_cut_at_the_limit() -> None:
    assert len(plain("<b>" + "word " * 1000 + "</b>", limit=99)) <= 99


@pytest.mark.parametrize("html", ["<!--" * 50_000, "<div>" * 50_000, "<a>" * 50_000, "<" * 200_000, "<p>x" * 50_000])
def test_hostile_markup_is_read_in_time(html: str) -> None:
    began = time.process_time()
    plain(html)
    assert time.process_time() - began < 5  # of the processor; hundredths where it is read once through


@given(st.text())
def test_plain_text_has_no_characters_that_nobody_sees(text: str) -> None:
    found = plain(text)
    assert not any(unicodedata.category(ch) == "Cs" or ch in "\u202e\u202d\u200b\ufeff\x00\x1b" for ch in found)
    assert found.encode().decode() == found


@given(st.text(alphabet="ab \n\t\u00a0\u200b"))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


def test_a_line_is_one_line() -> None:
    assert line(" A\n title\twith\u202e  space ") == "A title with space"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("See Fig. 3 and Eq. (2), e.g. the first.", ["See Fig. 3 and Eq. (2), e.g. the first."]),
        ("Smith et al. (2020) won. We lost.", ["Smith et al. (2020) won.", "We lost."]),
        ("It gains 3.5 points. Then v2.0 came.", ["It gains 3.5 points.", "Then v2.0 came."]),
        ("J. Doe wrote it. I agree.", ["J. Doe wrote it.", "I agree."]),
        ("The U.S. team won. It was No. 1.", ["The U.S. team won.", "It was No. 1."]),
        ('He said "stop." She did. (Really.) Yes.', ['He said "stop."', "She did.", "(Really.)", "Yes."]),
        ("A title\n\nA paragraph. Its end.", ["A title", "A paragraph.", "Its end."]),
        ("Code at https://example.org/a.b. It runs.", ["Code at https://example.org/a.b.", "It runs."]),
        ("Ends with i.e. this... And more.", ["Ends with i.e. this...", "And more."]),
        ("它是新的。很好！", ["它是新的。", "很好！"]),
        ("", []),
        ("   ", []),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet="aA1.!? \n()\"'。"))
def test_no_letter_is_lost_between_sentences(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert sentences(text) == sentences(text)


def test_sentences_of_an_abstract_are_soon_found() -> None:
    abstract = ("We study how models learn, e.g. from text (see Fig. 3). Smith et al. gained 3.5%. " * 15)[:1200]
    began = time.process_time()
    for _ in range(500):
        sentences(abstract)
    assert (time.process_time() - began) / 500 < 3e-3  # of the processor, where it takes about 30 µs


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("no TeX at all, 5% & more_here", "no TeX at all, 5% & more_here"),
        (r"$\alpha$-divergence", "α-divergence"),
        (r"\emph{x} and \textbf{y}", "x and y"),
        (r"10\%", "10%"),
        (r"10\% of 20% & a_b", "10% of 20% & a_b"),
        (r"$O(n^2)$ and $x_{10}$", "O(n²) and x₁₀"),
        (r"S$^2$Drug", "S²Drug"),
        (r"A\textsuperscript{2}FM", "A²FM"),
        (r"Erd\H{o}s, Poincar\'e", "Erdős, Poincaré"),
        (r"\method{} wins", "method wins"),
        (r"costs $5 and $10", "costs $5 and $10"),
        (r"$x<y$ \& $\mathbb{R}^d$", "x<y & ℝ^d"),
        (r"as in \cite{doe20} or \href{https://example.org}{here}", "as in [doe20] or here"),
        (r"about ~70\% of Fig.~3", "about ~70% of Fig. 3"),
        ("broken {$", "broken {$"),
        ("\\", "\\"),
    ],
)
def test_tex_reads_as_text(tex: str, expected: str) -> None:
    assert tex_to_plain(tex) == expected


@given(st.text(alphabet="ab$\\{}^_%&~[] \n1", max_size=40))
def test_no_tex_makes_it_raise(tex: str) -> None:
    assert isinstance(tex_to_plain(tex), str)
