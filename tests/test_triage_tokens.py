"""Reading items as words, and finding phrases among them."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest
from triage_samples import paper

from scout.text import sentences
from scout.triage import tokens
from scout.triage.novelty import Rarity, words_in, words_of
from scout.triage.phrases import Phrases
from scout.triage.tokens import stem


def test_title_and_sentences_keep_their_places():
    item = replace(paper(1, "agents"), title="Two words", text="First one here. Second one.")
    read = tokens.read([item, paper(2, "vision")])
    assert read.words[: read.titles[0]] == ["two", "words"]
    first, second = read.sentences[0]
    assert (first, second) == ("First one here.", "Second one.")
    begin, middle, end = read.sentence_starts[0].tolist()
    assert read.words[begin:middle] == ["first", "one", "here"]
    assert read.words[middle:end] == ["second", "one"]
    assert end == read.starts[1]


def test_sentences_are_numbered_as_everywhere_else():
    item = paper(3, "finance")
    assert tokens.read([item]).sentences[0] == sentences(item.text)


def test_a_long_text_is_read_from_its_beginning():
    long = replace(paper(1, "agents"), text="A sentence of some words. " * 2_000)
    read = tokens.read([long])
    assert len(read.words) < 2_500
    assert read.sentences[0] == sentences(long.text)[: len(read.sentences[0])]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("agents", "agent"),
        ("policies", "policy"),
        ("loss", "loss"),
        ("bias", "bias"),
        ("corpus", "corpus"),
        ("gas", "gas"),
    ],
)
def test_a_plural_is_its_singular(word, expected):
    assert stem(word) == expected


def test_ids_do_not_depend_on_what_was_read_before():
    alone = tokens.word_ids(["zebra"]).tolist()
    tokens._ids.clear()
    assert tokens.word_ids(["quagga", "zebra"]).tolist()[1:] == alone


def test_scripts_without_spaces_are_read_sign_by_sign():
    assert tokens.split("大模型 agents") == ["大", "模", "型", "agents"]


def test_parts_joined_are_the_whole():
    items = [paper(number, "proteins") for number in range(5)]
    whole = tokens.read(items)
    again = tokens.join([tokens.read(items[:2]).lean(), tokens.read(items[2:]).lean()])
    assert np.array_equal(whole.ids, again.ids)
    assert np.array_equal(whole.starts, again.starts)
    assert np.array_equal(whole.titles, again.titles)


class TestPhrases:
    def found(self, phrase: str, title: str, text: str = "") -> list[bool]:
        hits = Phrases.of([phrase]).find(tokens.read([replace(paper(1, "agents"), title=title, text=text)]))
        return hits.in_title.tolist()

    def test_case_hyphens_and_plural_do_not_matter(self):
        assert self.found("vision-language", "Vision Language models") == [True]
        assert self.found("GUI agent", "On GUI agents") == [True]

    def test_whole_words_only(self):
        assert self.found("agent", "Reagents in chemistry") == []

    def test_words_must_follow_each_other(self):
        assert self.found("tool use", "Use of a tool") == []

    def test_long_phrases_are_compared_in_full(self):
        assert self.found("mixture of experts", "A mixture of experts") == [True]
        assert self.found("mixture of experts", "A mixture of opinions") == []

    def test_no_phrase_spans_title_and_text(self):
        assert self.found("deep research", "Very deep", "Research goes on.") == []

    def test_no_phrase_spans_two_items(self):
        items = [
            replace(paper(1, "agents"), title="x", text="it is deep"),
            replace(paper(2, "agents"), title="Research", text=""),
        ]
        assert len(Phrases.of(["deep research"]).find(tokens.read(items)).rows) == 0

    def test_two_owners_of_a_phrase_both_get_it(self):
        hits = Phrases.of(["agent", "image", "agents"]).find(
            tokens.read([replace(paper(1, "agents"), title="Agent", text="")])
        )
        assert sorted(hits.phrases.tolist()) == [0, 2]

    def test_signs_alone_match_nothing(self):
        assert self.found("--", "A -- B") == []


@pytest.mark.parametrize("seed", range(20))
def test_words_of_plain_text_are_what_the_pattern_of_words_finds(seed: int) -> None:
    text = "".join(random.Random(seed).choices([chr(code) for code in range(128)], k=400))
    assert tokens.split(text) == re.findall(r"\w\w+", text.lower())


def test_which_of_some_words_an_item_has_is_told_without_its_own_set():
    one, other = paper(1, "agents"), paper(2, "vision")
    assert words_in(other, words_of(one)) == words_of(one) & words_of(other) != frozenset()


def test_a_vector_is_called_longer_only_where_it_is():
    words = words_of(paper(1, "agents"))
    rarity = Rarity([words, words_of(paper(2, "vision"))], least=50)
    assert rarity.is_longer(words, rarity.length(words) * 0.99)
    assert not rarity.is_longer(words, rarity.length(words))
