"""Pages are drawn one after another, and one that hangs holds nobody up for good."""

from __future__ import annotations

import threading

import pytest

from dashboard.turns import turn


def test_the_second_page_is_drawn_when_the_first_one_is_done() -> None:
    order: list[str] = []
    first_draws, second_asks = threading.Event(), threading.Event()

    def first() -> None:
        with turn():
            first_draws.set()
            second_asks.wait(60)
            order.append("first")

    def second() -> None:
        first_draws.wait(60)
        second_asks.set()
        with turn():
            order.append("second")

    threads = [threading.Thread(target=each) for each in (first, second)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert order == ["first", "second"]


def drawn_elsewhere() -> bool:
    """Whether a page of another session, which waits a moment only, has its turn."""
    found: list[bool] = []

    def draws() -> None:
        with turn(patience=0.01) as has_it:
            found.append(has_it)

    thread = threading.Thread(target=draws)
    thread.start()
    thread.join(60)
    return found[0]  # it is drawn either way


def test_a_page_that_hangs_holds_the_next_one_up_no_longer_than_its_patience() -> None:
    with turn():
        assert not drawn_elsewhere()
    assert drawn_elsewhere()


def test_a_page_that_fails_gives_its_turn_back() -> None:
    with pytest.raises(RuntimeError), turn():
        raise RuntimeError("no page")
    assert drawn_elsewhere()
