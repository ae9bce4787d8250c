"""Sites whose feeds are not where feeds usually are: a repository's releases, a channel's videos. Pure: nothing is asked.

Where a page names its feed itself (a channel by its @handle does), `discover` finds it.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

YOUTUBE = "https://www.youtube.com"
_RELEASES = "/releases.atom"
_OWNER, _REPOSITORY = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", r"[A-Za-z0-9._-]{1,100}"
_REPOSITORY_PATH = re.compile(rf"/({_OWNER})/({_REPOSITORY}?)(?:\.git)?(?:/releases(?:/.*|\.atom)?)?/?", re.ASCII)
_RELEASES_PATH = re.compile(rf"/({_OWNER}/{_REPOSITORY}){re.escape(_RELEASES)}", re.ASCII)
_NO_OWNER = frozenset(
    "about apps blog collections customer-stories enterprise events explore features login marketplace notifications orgs "
    "pricing readme search security settings site sponsors stars topics trending users".split()
)
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}", re.ASCII)
_LIST = re.compile(r"[A-Za-z0-9_-]{10,64}", re.ASCII)


def feed_of(url: str, *, github: str) -> str | None:
    """The feed of a GitHub repository's releases, or of a YouTube channel or playlist; None for any other address.

    A channel may be given by its id alone. `github` is where GitHub is, as the setting has it.
    """
    given = url.strip()
    bare = given.partition("://")[2] or given
    if _CHANNEL.fullmatch(bare.rstrip("/")):
        return f"{YOUTUBE}/feeds/videos.xml?channel_id={bare.rstrip('/')}"
    try:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        host, home = (parts.hostname or "").removeprefix("www."), urlsplit(github)
    except ValueError:
        return None
    if parts.netloc.removeprefix("www.") == home.netloc and parts.path.startswith(home.path):
        return _releases(parts.path.removeprefix(home.path.rstrip("/")), github.rstrip("/"))
    if host in ("youtube.com", "m.youtube.com"):
        return _videos(parts.path, parse_qs(parts.query))
    return None


def _releases(path: str, github: str) -> str | None:
    found = _REPOSITORY_PATH.fullmatch(path)
    if found is None or found[1].lower() in _NO_OWNER or not found[2].strip("."):
        return None
    return f"{github}/{found[1]}/{found[2]}{_RELEASES}"


def _videos(path: str, query: dict[str, list[str]]) -> str | None:
    steps = [step for step in path.split("/") if step]
    if len(steps) >= 2 and steps[0] == "channel" and _CHANNEL.fullmatch(steps[1]):
        return f"{YOUTUBE}/feeds/videos.xml?channel_id={steps[1]}"
    wanted = (query.get("list") or [""])[0]
    if steps == ["playlist"] and _LIST.fullmatch(wanted):
        return f"{YOUTUBE}/feeds/videos.xml?playlist_id={wanted}"
    return None


def titled(title: str, source_url: str) -> str:
    """An entry's title as it is understood outside its feed: a release is called v1.2, and says not of what."""
    try:
        found = _RELEASES_PATH.search(urlsplit(source_url).path)
    except ValueError:
        return title
    if found is None or found[1].partition("/")[2].casefold() in title.casefold():
        return title
    return f"{found[1]} {title}"
