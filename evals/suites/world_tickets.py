"""A help desk: tickets to read, assign, rank and close. Two tasks: sort the open ones by the rules; close the repeats."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from evals.suites.worlds import PAGE, PAGE_NUMBER, TEXT, Deed, Refused, State, World, call, found, paged
from scout.serving.messages import ToolCall

AREAS = ("billing", "login", "export", "search", "printing", "mail")
PEOPLE = ("Amara", "Bo", "Chiara", "Deniz", "Emeka", "Freya", "Goran", "Hana")
SIGNS = {
    "nobody can work": "urgent", "a few people are affected": "high", "there is a way around it": "normal",
    "it only looks odd": "low",
}  # fmt: skip
TROUBLES = (
    "stopped this morning",
    "fails after the update",
    "shows an empty page",
    "takes minutes",
    "loses the last line",
)


def _list(state: State, given: Mapping[str, Any]) -> str:
    rows = [f"{id}: {each['title']} [{each['status']}]" for id, each in state["tickets"].items()]
    return paged(rows, given["page"])


def _read(state: State, given: Mapping[str, Any]) -> str:
    each = found(state["tickets"], given["ticket"], "ticket")
    facts = (
        f"{key}: {each[key] or '-'}" for key in ("title", "status", "customer", "area", "owner", "priority", "text")
    )
    return "\n".join(facts)


def _duty(state: State, given: Mapping[str, Any]) -> str:
    return str(found(state["duty"], given["area"], "area"))


def _open(state: State, id: str) -> dict[str, Any]:
    each: dict[str, Any] = found(state["tickets"], id, "ticket")
    if each["status"] != "open":
        raise Refused(f"{id} is {each['status']}; only open tickets change")
    return each


def _assign(state: State, given: Mapping[str, Any]) -> str:
    if given["person"] not in PEOPLE:
        raise Refused(f"nobody here is called {given['person'][:40]}")
    _open(state, given["ticket"])["owner"] = given["person"]
    return "assigned"


def _rank(state: State, given: Mapping[str, Any]) -> str:
    _open(state, given["ticket"])["priority"] = given["priority"]
    return "priority set"


def _close(state: State, given: Mapping[str, Any]) -> str:
    other = given["duplicate_of"]
    found(state["tickets"], other, "ticket")
    each = _open(state, given["ticket"])
    if other == given["ticket"]:
        raise Refused("a ticket is no duplicate of itself")
    each["status"] = f"closed, duplicate of {other}"
    return "closed"


TICKET = {"type": "string", "description": "the ticket's number, such as T12"}
DEEDS = (
    Deed.of("list_tickets", "Lists all tickets, five a page.", {"page": PAGE_NUMBER}, _list),
    Deed.of("read_ticket", "Shows a ticket whole.", {"ticket": TICKET}, _read),
    Deed.of("who_is_on_duty", "Says who is on duty for an area.", {"area": {"enum": list(AREAS)}}, _duty),
    Deed.of("assign_ticket", "Gives an open ticket to a person.", {"ticket": TICKET, "person": TEXT}, _assign),
    Deed.of(
        "set_priority", "Sets an open ticket's priority.",
        {"ticket": TICKET, "priority": {"enum": ["urgent", "high", "normal", "low"]}}, _rank,
    ),
    Deed.of("close_duplicate", "Closes an open ticket as a repeat of another.", {"ticket": TICKET, "duplicate_of": TICKET}, _close),
)  # fmt: skip

SORT = """You keep a help desk in order, with tools. For every ticket that is open now:
1. assign it to whoever is on duty for its area;
2. set its priority by what its text says: {rules}.
Leave tickets that are not open as they are. When all is done, say so."""
REPEATS = """You keep a help desk in order, with tools. Among the open tickets some are repeats: same customer, same area and
same text as an open ticket with a smaller number. Close each repeat as a duplicate of the smallest such number.
Change nothing else. When all is done, end your reply with a line `Answer: ` and how many you closed."""


def sort(draw: random.Random, level: int) -> tuple[str, World]:
    """Every open ticket wants an owner and a priority."""
    tickets = {f"T{number}": _ticket(draw) for number in _numbers(draw, (1, 6, 11, 20)[level])}
    for each in tickets.values():
        each["status"] = "open" if draw.random() < 0.75 else draw.choice(["waiting", "solved"])
    next(iter(tickets.values()))["status"] = "open"
    state: State = {"tickets": tickets, "duty": {area: draw.choice(PEOPLE) for area in AREAS}}
    right = _looking(tickets)
    for area in sorted({each["area"] for each in tickets.values() if each["status"] == "open"}):
        right.append(call("who_is_on_duty", area=area))
    for id, each in tickets.items():
        if each["status"] == "open":
            sign = next(sign for sign in SIGNS if sign in each["text"])
            right.append(call("assign_ticket", ticket=id, person=state["duty"][each["area"]]))
            right.append(call("set_priority", ticket=id, priority=SIGNS[sign]))
    rules = "; ".join(f"{level} where {sign}" for sign, level in SIGNS.items())
    return SORT.format(rules=rules), World("", DEEDS, state, tuple(right))


def repeats(draw: random.Random, level: int) -> tuple[str, World]:
    """Some open tickets repeat earlier ones, and some only nearly do."""
    size = (2, 9, 16, 30)[level]
    numbers = _numbers(draw, size)
    tickets: dict[str, dict[str, Any]] = {}
    right: list[ToolCall] = []
    for place, number in enumerate(numbers):
        earlier = [id for id, each in tickets.items() if each["status"] == "open"]
        if earlier and (draw.random() < 0.4 or place == size - 1):
            first = draw.choice(earlier)
            each = dict(tickets[first])
            if draw.random() < 0.3 and place != size - 1:
                each["customer"] = f"customer {draw.randrange(100, 1000)}"
        else:
            each = _ticket(draw)
        tickets[f"T{number}"] = each
    for id, each in tickets.items():
        same = next(other for other, seen in tickets.items() if _key(seen) == _key(each))
        if same != id:
            right.append(call("close_duplicate", ticket=id, duplicate_of=same))
    state: State = {"tickets": tickets, "duty": {area: draw.choice(PEOPLE) for area in AREAS}}
    return REPEATS, World("", DEEDS, state, (*_looking(tickets), *right), str(len(right)))


def _key(each: Mapping[str, Any]) -> tuple[str, str, str]:
    return each["customer"], each["area"], each["text"]


def _ticket(draw: random.Random) -> dict[str, Any]:
    area, trouble = draw.choice(AREAS), draw.choice(TROUBLES)
    text = f"The {area} {trouble} since {draw.randrange(7, 19)}:{draw.randrange(10, 60)}; {draw.choice(sorted(SIGNS))}."
    return {
        "title": f"{area} {trouble}", "status": "open", "customer": f"customer {draw.randrange(100, 1000)}", "area": area,
        "owner": "", "priority": "", "text": text,
    }  # fmt: skip


def _numbers(draw: random.Random, size: int) -> list[int]:
    return sorted(draw.sample(range(10, 10 + 4 * size), size))


def _looking(tickets: Mapping[str, Any]) -> list[ToolCall]:
    pages = range(1, 2 + (len(tickets) - 1) // PAGE)
    return [*(call("list_tickets", page=page) for page in pages), *(call("read_ticket", ticket=id) for id in tickets)]
