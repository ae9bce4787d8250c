"""The words and safe pieces that the faces share: dates, bylines, reasons, why a digest is empty. Plain text, no markup.

Escaping is each face's own; what it escapes comes through `shown`, which makes TeX readable and drops characters that
nobody sees (controls, bidirectional overrides).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

from scout.digest.model import Digest, Entry
from scout.links import Relation, RelationKind
from scout.text import line, tex_to_plain

LONG = 20_000
"""No text of a digest is longer; what would be is cut."""


def shown(text: str, *, limit: int = LONG) -> str:
    """Untrusted text as one readable line of plain text."""
    return line(tex_to_plain(line(text, limit=limit)), limit=limit)


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def long_day(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def short_day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def percent(probability: float) -> str:
    """`87%` of what is foreseen; never a certainty."""
    return f"{min(99, max(1, round(100 * probability)))}%"


def safe_url(url: str) -> str:
    """`url` with everything that could end an attribute or a link escaped; "" unless it is http or https."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return ""
    except ValueError:
        return ""
    return quote(line(url, limit=4_000), safe="%/:?#@!$&+,;=~-._[]*")


def hub_url(release: str) -> str:
    """Where a release is on the Hub."""
    return f"https://huggingface.co/{quote(release, safe='/')}"


def byline(authors: Sequence[str], *, most: int = 4) -> str:
    """The first authors, and how many more there are."""
    names = [name for name in (shown(author, limit=120) for author in authors) if name]
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def origin(entry: Entry) -> str:
    """Where it appeared, as people call the place."""
    if entry.id.startswith("arxiv:"):
        return "arXiv"
    host = urlsplit(safe_url(entry.url)).hostname or ""
    return host.removeprefix("www.") or shown(entry.source, limit=120)


def about(entry: Entry, *, most: int = 4) -> str:
    """Authors, place and day, as far as they are known."""
    day = short_day(entry.published.date()) if entry.published else ""
    return " · ".join(part for part in (byline(entry.authors, most=most), origin(entry), day) if part)


@dataclass(frozen=True, slots=True)
class Reason:
    text: str
    is_for: bool
    """Whether it spoke for the item or against it."""


def reasons(entry: Entry, *, most: int = 4) -> list[Reason]:
    """What weighed most in the decision, for and against."""
    strongest = [part for part in entry.why if round(part.weight, 2)][:most]
    return [Reason(feature_name(part.feature), part.weight > 0) for part in strongest]


def feature_name(feature: str) -> str:
    """What weighed in a decision, as people say it: `author:Ann Smith` is "by Ann Smith"."""
    kind, colon, what = shown(feature, limit=120).partition(":")
    named = {
        "author": "by {}",
        "category": "in {}",
        "source": "from {}",
        "comment": "remark “{}”",
        "rule": "your rule {}",
        "picked by the community (prior)": "{}, by the community's picks",
    }
    if not colon or not what:
        return "no remark by its authors" if feature == "no comment" else shown(feature, limit=120)
    return named.get(kind, "{}").format(what.strip())


def asides(entry: Entry) -> list[str]:
    """What is to be said of it beside itself, a line each: what it is to what was read, how it changed, where else it is."""
    told = [related(entry.relation)] if entry.relation.kind is not RelationKind.NEW else []
    if entry.changed:
        told.append(f"Changed since it came: {shown(entry.changed)}")
    if entry.also:
        places = [shown(place.title, limit=120) for place in entry.also[:3]]
        where = [f"{place.id} ({title})" for place, title in zip(entry.also, places, strict=False)]
        more = f" and {len(entry.also) - 3} more" if len(entry.also) > 3 else ""
        told.append(f"The same text also at {', '.join(where)}{more}")
    return told


def related(relation: Relation) -> str:
    """The relation to an earlier item in words; empty where it is new."""
    earlier = f"“{shown(relation.title, limit=120) or relation.to}”, {relation.read}"
    if relation.kind is RelationKind.REPEAT:
        return f"Tells again what you know from {earlier} ({shown(relation.why)})"
    return f"Follows up {earlier} ({shown(relation.why)})" if relation.kind is RelationKind.FOLLOW_UP else ""


ASKS = "a thumb here teaches most"


def by_chance(entry: Entry) -> str:
    """How likely chance was to show this entry: `1 in 40`."""
    return f"1 in {round(1 / entry.propensity)}" if entry.propensity > 0 else ""


def headline(digest: Digest) -> str:
    """The digest in one sentence."""
    entries = list(digest.entries())
    parts = [
        plural(sum(entry.lane == "read" for entry in entries), "item") + " to read",
        f"{len(digest.unsure)} unsure" if digest.unsure else "",
        f"{sum(entry.is_explored for entry in entries)} by chance" if any(e.is_explored for e in entries) else "",
    ]
    considered = digest.counts.get("considered", 0)
    return f"{', '.join(part for part in parts if part)}; {plural(considered, 'new item')} considered."


def left_out(digest: Digest) -> str:
    """What the caps left out, or "" for nothing."""
    read, unsure = digest.counts.get("read_left_out", 0), digest.counts.get("unsure_left_out", 0)
    parts = [f"{read} to read" if read else "", f"{unsure} unsure" if unsure else ""]
    told = " and ".join(part for part in parts if part)
    return f"{told} did not fit under the caps; `scout items` and Search have them." if told else ""


def why_empty(digest: Digest) -> tuple[str, str]:
    """Why there is nothing in it, and what to do. The note, where there is one, says more."""
    count = digest.counts.get
    considered, undecided = count("considered", 0), count("undecided", 0)
    if undecided:
        return (
            f"{plural(undecided, 'new item')} waited for triage.",
            "Run `scout run` again: it goes on where it stopped.",
        )
    if considered:
        return (
            f"Of {plural(considered, 'new item')}, none was likely enough to be for you.",
            "Thumbs teach it what you like: find some with `scout search` or on the Search page and rate them.",
        )
    if count("sources_failed", 0):
        return (
            "Nothing new came in, and some sources failed.",
            "`scout sources check` says which; then `scout run` again.",
        )
    if count("sources_quiet", 0):
        return "Nothing was announced, and nothing else is new.", "Come back after the next announcement."
    if count("sources_unpolled", 0):
        return "No source has been read yet.", "`scout run` reads them all and makes the digest."
    return "Nothing new since your last digest.", "Come back tomorrow, or add a source with `scout sources add URL`."
