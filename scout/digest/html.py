"""The digest as one HTML page that can be mailed: styles inside, no script, nothing loaded from elsewhere.

The templates escape everything; texts come to them through `wording.shown`, addresses through `wording.safe_url`.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scout.digest import wording
from scout.digest.model import Digest, Entry


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("scout.digest"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": wording.shown,
        "safe_url": wording.safe_url,
        "hub_url": wording.hub_url,
        "long_day": wording.long_day,
        "short_day": wording.short_day,
        "percent": wording.percent,
        "about": wording.about,
        "asides": wording.asides,
        "reasons": wording.reasons,
        "by_chance": wording.by_chance,
        "asks": lambda entry: wording.ASKS if entry.asks else "",
        "coded": _coded,
    }
    return environment


def _coded(text: str) -> Markup:
    """Our own words, what stands between backticks set as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def html(digest: Digest) -> str:
    """The whole page."""
    why, advice = wording.why_empty(digest) if digest.is_empty else ("", "")
    return (
        _environment()
        .get_template("digest.html.j2")
        .render(
            digest=digest,
            headline=wording.headline(digest),
            left_out=wording.left_out(digest),
            why_empty=why,
            advice=advice,
        )
    )


def entry_html(entry: Entry) -> str:
    """One entry as a fragment without styles, for feed readers."""
    return _environment().get_template("entry.html.j2").render(entry=entry).strip()
