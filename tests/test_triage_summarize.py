"""Extractive summaries: whose sentences they are, which ones, and how they are cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from triage_samples import paper

from scout.text import sentences
from scout.triage.summarize import LONGEST, extractive, quoted, shorten

ABSTRACT = (
    "Long contexts are expensive to serve. However, existing caches grow with every token and limit batch size. "
    "We propose Foldcache, a method that folds the cache of a language model as it grows. "
    "It keeps the tokens that later queries need and merges the others. "
    "Experiments on four models show that it reduces memory by 60% at no loss of accuracy. "
    "Code is available at https://example.org/foldcache."
)


def item(text: str = ABSTRACT, title: str = "Foldcache: folding the cache of long language models"):
    return replace(paper(1, "agents"), title=title, text=text)


def summary(text: str = ABSTRACT, **kwargs: str):
    return extractive([item(text, **kwargs)])[0]


def test_the_tldr_is_the_sentence_that_carries_the_paper():
    assert summary().tldr == "We propose Foldcache, a method that folds the cache of a language model as it grows."


def test_points_are_other_sentences_with_their_numbers():
    made = summary()
    text = sentences(ABSTRACT)
    assert 2 <= len(made.points) <= 4
    for point in made.points:
        assert [text[number - 1] for number in point.cites] == [point.text]
        assert point.text != made.tldr
    assert [point.cites for point in made.points] == sorted(point.cites for point in made.points)


def test_points_tell_what_was_found_and_not_where_the_code_is():
    told = " ".join(point.text for point in summary().points)
    assert "60%" in told
    assert "example.org" not in told


def test_it_says_who_made_it():
    assert (summary().by, summary().item_id) == ("extractive", item().id)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_without_a_text_the_title_is_all_there_is(text):
    made = summary(text)
    assert (made.tldr, made.points) == (item().title, ())


def test_one_sentence_is_the_tldr_and_there_are_no_points():
    made = summary("We fold the cache.")
    assert (made.tldr, made.points) == ("We fold the cache.", ())


def test_a_sentence_that_only_repeats_the_title_is_not_chosen():
    made = summary(
        "Foldcache: folding the cache of long language models. We show that merging old tokens saves memory in models."
    )
    assert made.tldr.startswith("We show")


def test_tex_is_left_to_the_faces():
    assert "$O(\\log n)$" in summary("We propose a cache of $O(\\log n)$ language tokens.").tldr


def test_a_summary_does_not_depend_on_its_batch():
    others = [replace(paper(number, "finance"), id=f"x:{number}") for number in range(30)]
    assert extractive([*others, item()])[-1] == summary()


class TestShorten:
    def test_a_short_sentence_stays(self):
        assert shorten("A short  one.\nStill short.") == "A short one. Still short."

    def test_a_long_one_ends_at_a_clause(self):
        cut = shorten("A clause of some words that goes on for long, " * 20)
        assert len(cut) <= LONGEST
        assert cut.endswith("for long …")

    def test_without_clauses_it_ends_at_a_word(self):
        assert shorten("word " * 200).endswith("word …")

    def test_a_formula_is_never_cut(self):
        cut = shorten("x" * 300 + " $a, " + "b + " * 40 + "c$ end")
        assert cut.count("$") % 2 == 0

    def test_one_endless_word_is_cut_too(self):
        assert len(shorten("x" * 5000)) <= LONGEST


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("(2) We prove that it converges.", "We prove that it converges."),
        ("(iii) we release the code.", "we release the code."),
        ("b) A bound on the rank.", "A bound on the rank."),
        ("• Faster than before.", "Faster than before."),
        ("(3) \\emph{Pooling} helps.", "\\emph{Pooling} helps."),
        ("(2020) was the year of models.", "(2020) was the year of models."),
        ("(x) is what it reads.", "(x) is what it reads."),
        ("-1 is its smallest value.", "-1 is its smallest value."),
        ("Either (1) it learns or (2) it fails.", "Either (1) it learns or (2) it fails."),
        ("(2)", "(2)"),
    ],
)
def test_a_sentence_of_an_enumeration_leaves_its_number_behind(sentence: str, alone: str):
    assert quoted(sentence) == alone


@given(st.text(max_size=1500), st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_the_text_every_line_is_a_sentence_of_it(text, title):
    made = extractive([item(text, title=title)])[0]
    numbered = sentences(text)
    for point in made.points:
        assert all(1 <= number <= len(numbered) for number in point.cites)
        assert point.text == quoted(numbered[point.cites[0] - 1])
    assert len(made.tldr) <= LONGEST
