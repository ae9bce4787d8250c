"""Calendars of a few people. Two tasks: book meetings as early as all can come; move what clashes out of the way."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from evals.suites.worlds import Deed, Refused, State, World, call, found

PEOPLE = ("Ada", "Bela", "Cyrus", "Dora", "Edo", "Fatou", "Gil", "Hedda")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
HOURS = range(9, 17)
WORK = (
    "planning",
    "interview",
    "review",
    "workshop",
    "rehearsal",
    "handover",
    "budget",
    "audit",
    "demo",
    "retrospective",
)


def _day(state: State, given: Mapping[str, Any]) -> str:
    booked = found(state["calendars"], given["person"], "person")[given["day"]]
    rows = [f"{hour}:00 {booked[str(hour)]}" for hour in HOURS if str(hour) in booked]
    return "\n".join(rows) or "nothing; free from 9:00 to 17:00"


def _people(state: State, given: Mapping[str, Any]) -> str:
    return ", ".join(state["calendars"])


def _book(state: State, given: Mapping[str, Any]) -> str:
    days = [found(state["calendars"], person, "person")[given["day"]] for person in given["people"]]
    for person, booked in zip(given["people"], days, strict=True):
        if str(given["hour"]) in booked:
            raise Refused(f"{person} has {booked[str(given['hour'])]} then")
    for booked in days:
        booked[str(given["hour"])] = given["title"]
    return "booked"


def _cancel(state: State, given: Mapping[str, Any]) -> str:
    booked = found(state["calendars"], given["person"], "person")[given["day"]]
    found(booked, str(given["hour"]), "meeting at")
    del booked[str(given["hour"])]
    return "cancelled"


PERSON, DAY = {"type": "string"}, {"enum": list(DAYS)}
HOUR = {
    "type": "integer",
    "minimum": HOURS[0],
    "maximum": HOURS[-1],
    "description": "the hour it begins; all take one hour",
}
DEEDS = (
    Deed.of("list_people", "Says whose calendars there are.", {}, _people),
    Deed.of("read_day", "Shows what a person has on a day.", {"person": PERSON, "day": DAY}, _day),
    Deed.of(
        "book_meeting", "Books an hour for people who are all free then.",
        {"people": {"type": "array", "items": PERSON, "minItems": 1, "uniqueItems": True}, "day": DAY, "hour": HOUR,
         "title": {"type": "string", "maxLength": 80}}, _book,
    ),
    Deed.of("cancel_meeting", "Takes an hour out of one person's calendar.", {"person": PERSON, "day": DAY, "hour": HOUR}, _cancel),
)  # fmt: skip

BOOK = """You keep calendars, with tools. Meetings take an hour and begin on the hour, from 9:00 to 16:00, Monday to Friday. Book
these meetings in this order, each at the earliest time in the week at which all its people are free, counting the ones
booked before it. Use the names of the meetings as titles.
{wanted}
Change nothing else. When all is done, end your reply with a line `Answer: ` and day and hour of the last one, such as
`Answer: Tuesday 14`."""
CLEAR = """You keep calendars, with tools. {person} is away on {day}. For each meeting that {person} has on {day}, oldest first: take
it out of that day, and book it, with the same title and for {person} alone, at the earliest free hour {person} has in the
rest of the week from the day after on (meetings begin on the hour, 9:00 to 16:00). Other people's calendars stay as they
are. When all is done, say so."""


def book(draw: random.Random, level: int) -> tuple[str, World]:
    """Meetings for several people, each as early as can be."""
    people = sorted(draw.sample(PEOPLE, (2, 3, 4, 6)[level]))
    calendars = _calendars(draw, people, busy=0.75)
    after = {person: {day: dict(booked) for day, booked in days.items()} for person, days in calendars.items()}
    wanted, right, last = [], [], ""
    for number in range((1, 4, 6, 8)[level]):
        who = sorted(draw.sample(people, draw.randrange(2, min(4, len(people)) + 1)))
        free = [(day, hour) for day in DAYS for hour in HOURS if all(str(hour) not in after[each][day] for each in who)]
        if not free:
            continue
        title, (day, hour) = f"{draw.choice(WORK)} {number + 1}", free[0]
        for each in who:
            after[each][day][str(hour)] = title
        wanted.append(f"- {title}: {', '.join(who)}")
        right.append(call("book_meeting", people=who, day=day, hour=hour, title=title))
        last = f"{day} {hour}"
    if not right:
        return book(draw, level)
    looking = [call("read_day", person=person, day=day) for person in people for day in DAYS]
    text = BOOK.format(wanted="\n".join(wanted))
    return text, World("", DEEDS, {"calendars": calendars}, (call("list_people"), *looking, *right), last)


def clear(draw: random.Random, level: int) -> tuple[str, World]:
    """A day to be cleared, its meetings moved on."""
    person, others = draw.choice(PEOPLE), draw.randrange(1, 4)
    people = sorted({person, *draw.sample(PEOPLE, others)})
    busy = (0.1, 0.5, 0.6, 0.65)[level]
    calendars = _calendars(draw, people, busy=busy)
    place = draw.randrange(0, 2)
    day, later = DAYS[place], DAYS[place + 1 :]
    for hour in draw.sample(HOURS, (1, 4, 6, 8)[level]):
        calendars[person][day].setdefault(str(hour), draw.choice(WORK))
    free = [(each, hour) for each in later for hour in HOURS if str(hour) not in calendars[person][each]]
    mine = [(hour, calendars[person][day][str(hour)]) for hour in HOURS if str(hour) in calendars[person][day]]
    if len(free) < len(mine):
        return clear(draw, level)
    right = [call("read_day", person=person, day=each) for each in (day, *later)]
    for (hour, title), (new_day, new_hour) in zip(mine, free, strict=False):
        right.append(call("cancel_meeting", person=person, day=day, hour=hour))
        right.append(call("book_meeting", people=[person], day=new_day, hour=new_hour, title=title))
    return CLEAR.format(person=person, day=day), World("", DEEDS, {"calendars": calendars}, tuple(right))


def _calendars(draw: random.Random, people: Sequence[str], *, busy: float) -> dict[str, dict[str, dict[str, str]]]:
    return {
        person: {
            day: {str(hour): draw.choice(WORK) for hour in HOURS if draw.random() < busy} for day in DAYS
        }
        for person in people
    }  # fmt: skip
