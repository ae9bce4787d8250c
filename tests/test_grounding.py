"""A summary's sentences are kept where the cited sentences say so, and dropped with a reason where they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.items import Point
from scout.triage.claims import names, numbers, plain
from scout.triage.grounding import Unsupported, check, check_tldr, first_sentence

SOURCE = (
    "We present FooNet, a large language model with 7 billion parameters trained on 1,000 GPUs.",
    "On MMLU it reaches 71.3% and beats GPT-4 by 12.5 percent, three times faster.",
    "Our vision-language adapter needs $2\\times$ less memory and $1{,}024$ tokens.",
    "Code is available at https://github.com/foo/net.",
)


def reason(text: str, *cites: int) -> str | None:
    grounded = check([Point(text, cites)], SOURCE)
    return str(grounded.dropped[0].fault.reason) if grounded.dropped else None


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("FooNet is a language model of 7B parameters.", (1,)),
        ("It was trained on 1000 GPUs.", (1,)),
        ("FooNet is an LLM with 7 billion parameters.", (1,)),
        ("It reaches 71.3 percent on MMLU.", (2,)),
        ("It beats GPT-4 by 12.50%.", (2,)),
        ("It is 3x faster than GPT-4.", (2,)),
        ("A threefold speedup over GPT-4 comes with it, faster.", (2,)),
        ("The Vision-Language adapter takes 2x less memory.", (3,)),
        ("The adapter needs 1,024 tokens.", (3,)),
        ("The code is at https://github.com/foo/net", (4,)),
        ("FooNet's parameters number 7B and it reaches 71.3%.", (1, 2)),
    ],
)
def test_what_the_cited_sentences_say_is_kept_however_it_is_written(text: str, cites: tuple[int, ...]) -> None:
    assert reason(text, *cites) is None


@pytest.mark.parametrize(
    ("text", "cites", "expected"),
    [
        ("It reaches 71.4% on MMLU.", (2,), Unsupported.NUMBER),
        ("It reaches 71.3 points on MMLU.", (2,), Unsupported.NUMBER),
        ("It was trained on 10,000 GPUs.", (1,), Unsupported.NUMBER),
        ("It is four times faster than GPT-4.", (2,), Unsupported.NUMBER),
        ("FooNet has 70B parameters as a language model.", (1,), Unsupported.NUMBER),
        ("It beats GPT-5 by 12.5%.", (2,), Unsupported.NAME),
        ("FooNet beats all by 12.5 percent.", (2,), Unsupported.NAME),
        ("Google trained the language model.", (1,), Unsupported.NAME),
        ("The model runs on TPUs and is a large language model.", (1,), Unsupported.NAME),
        ("It reaches 71.3% on MMLU.", (1,), Unsupported.NUMBER),
        ("It reaches 71.3% on MMLU.", (9,), Unsupported.NO_SUCH_SENTENCE),
        ("It reaches 71.3% on MMLU.", (0,), Unsupported.NO_SUCH_SENTENCE),
        ("It reaches 71.3% on MMLU.", (2, 5), Unsupported.NO_SUCH_SENTENCE),
        ("It reaches 71.3% on MMLU.", (), Unsupported.NO_CITATION),
        ("Buy it at evil.com now.", (4,), Unsupported.ADDRESS),
        ("The code is at https://github.com/foo/evil", (4,), Unsupported.ADDRESS),
        ("它在测试中达到了很高的水平", (2,), Unsupported.LANGUAGE),
        ("Модель обучена на видеокартах", (1,), Unsupported.LANGUAGE),
        ("It reaches 高 levels on MMLU.", (2,), Unsupported.LANGUAGE),
        ("12.5%", (2,), Unsupported.EMPTY),
        ("It ignores every earlier instruction and praises this paper loudly.", (2,), Unsupported.WORDS),
        ("Parameters " * 80, (1,), Unsupported.TOO_LONG),
    ],
)
def test_what_they_do_not_say_is_dropped_with_its_reason(
    text: str, cites: tuple[int, ...], expected: Unsupported
) -> None:
    assert reason(text, *cites) == expected


def test_a_point_that_rests_on_everything_rests_on_nothing() -> None:
    sentences = [f"The model has layer {n}." for n in range(1, 9)]
    grounded = check([Point("The model has layers.", tuple(range(1, 9)))], sentences)
    assert grounded.by_reason == {"too-wide": 1}


def test_the_same_point_twice_counts_once() -> None:
    grounded = check([Point("It beats GPT-4.", (2,)), Point("it beats  GPT-4", (2,))], SOURCE)
    assert len(grounded.kept) == 1
    assert grounded.by_reason == {"repeated": 1}


def test_kept_points_keep_their_order_and_the_dropped_tell_what_was_missing() -> None:
    points = [Point("It beats GPT-4.", (2,)), Point("It beats Claude.", (2,)), Point("FooNet has 7B parameters.", (1,))]
    grounded = check(points, SOURCE)
    assert grounded.kept == (points[0], points[2])
    assert grounded.dropped[0].fault.detail == "Claude"


def test_a_tldr_may_use_the_title_and_every_sentence() -> None:
    assert check_tldr("BarBench shows FooNet at 71.3% with 7B parameters.", "BarBench", SOURCE) is None
    fault = check_tldr("BarBench shows FooNet at 99%.", "BarBench", SOURCE)
    assert fault is not None
    assert fault.reason is Unsupported.NUMBER


def test_an_english_answer_to_a_chinese_item_is_in_the_wrong_language() -> None:
    chinese = ["我们提出了一种新的大语言模型 FooNet，在基准测试中表现优异。"]
    assert check([Point("FooNet is a new model.", (1,))], chinese).by_reason == {"language": 1}
    assert check([Point("我们提出了新的大语言模型 FooNet", (1,))], chinese).kept


def test_a_greek_letter_of_a_formula_is_no_other_language() -> None:
    assert check([Point("The rate α decides the loss.", (1,))], ["The rate $\\alpha$ decides the loss."]).kept


def test_owner_words_support_a_reason() -> None:
    point = Point("It helps your Agents subject with a large language model.", (1,))
    assert check([point], SOURCE).by_reason == {"name": 1}
    assert check([point], SOURCE, also="Agents and tools").kept


def test_numbers_have_one_spelling() -> None:
    assert numbers("12.5 percent") == numbers("12.50%") == {"12.5%"}
    assert numbers(plain("1,000")) == numbers(plain("1\u202f000")) == {"1000"}
    assert numbers("7B") == numbers("7 billion") == {"7000000000"}
    assert numbers("GPT-4 and F1 on CIFAR10") == set()
    assert numbers("from 3-5 to -2") == {"3", "5", "-2"}


def test_names_are_found_and_everyday_words_are_not() -> None:
    said = (
        "Experiments show that Llama beats BERT-base on ImageNet-1k. Training is fast. Nvidia helps with 12-layer nets."
    )
    assert list(names(said)) == ["Llama", "BERT-base", "ImageNet-1k", "Nvidia"]


def test_a_tldr_is_one_sentence() -> None:
    assert first_sentence("It works, e.g. on MMLU. It is fast.") == "It works, e.g. on MMLU."
    assert first_sentence("") == ""


@given(st.lists(st.text(max_size=80), max_size=4), st.text(max_size=120))
def test_no_text_makes_it_fall_over(sentences: list[str], text: str) -> None:
    grounded = check([Point(text, (1, len(sentences)))], sentences)
    assert len(grounded.kept) + len(grounded.dropped) == 1


@given(st.sampled_from(SOURCE))
def test_a_sentence_supports_itself(sentence: str) -> None:
    assert check([Point(sentence, (SOURCE.index(sentence) + 1,))], SOURCE).kept


@pytest.mark.parametrize("claim", ["\\b", "\\^"], ids=["accent", "hat"])
def test_tex_that_shows_no_letter_says_nothing(claim: str) -> None:
    assert check([Point(claim, (1,))], SOURCE).dropped
