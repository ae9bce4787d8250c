"""A message in the shape that a service wants. Pure. What came from outside stays text: it can be no markup, link or mention.

Shapes: Slack's incoming webhooks (Block Kit, section with mrkdwn: `&`, `<` and `>` are the only characters that begin
anything with `verbatim` on; a zero-width space keeps `*_~` and backticks from pairing), Discord's webhooks (embeds, no allowed mentions),
Feishu's and Lark's custom bots (a post of text and link elements, which know no markup; signature as their page gives it),
and plain JSON.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

from scout.notify.message import Message

SLACK_TEXT = 3_000
"""The longest text of a section."""
DISCORD_TEXT = 4_096
"""The longest description of an embed."""
FEISHU_BYTES = 16_000
"""A bot takes bodies of 20 KB."""


def slack(message: Message) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.title[:150], "emoji": False}}
    ]
    blocks.append(_section(_slack_text(message.headline)))
    for line in message.lines:
        title = f"<{_slack_url(line.url)}|{_slack_text(line.title)}>" if line.url else _slack_text(line.title)
        blocks.append(
            _section("\n".join(part for part in (title, _slack_text(line.about), _slack_text(line.tldr)) if part))
        )
    opened = f"<{_slack_url(message.link)}|Open the digest>" if message.link else ""
    if ending := " · ".join(part for part in (message.ending(), opened) if part):
        blocks.append(_section(ending))
    return {"text": f"{_slack_text(message.title)}: {_slack_text(message.headline)}", "blocks": blocks,
            "unfurl_links": False, "unfurl_media": False}  # fmt: skip


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SLACK_TEXT), "verbatim": True}}


def _slack_text(text: str) -> str:
    """`&`, `<`, `>` as entities; a mark of emphasis or of an emoji is followed by a character of no width, so that no pair forms."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_~`:])", "\\1\u200b", safe)


def _slack_url(url: str) -> str:
    return url.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")


def discord(message: Message) -> dict[str, Any]:
    parts = [_discord_text(message.headline)]
    for line in message.lines:
        title = _discord_text(line.title)
        linked = f"[{title}](<{_discord_url(line.url)}>)" if line.url else title
        parts.append(
            "\n".join(part for part in (f"**{linked}**", _discord_text(line.about), _discord_text(line.tldr)) if part)
        )
    kept, left = _fitting(parts, DISCORD_TEXT - 200)
    if more := message.more + left:
        kept = f"{kept}\n\nand {more} more"
    embed: dict[str, Any] = {"title": message.title[:256], "description": kept}
    if message.link:
        embed["url"] = message.link
    return {"username": "scout", "embeds": [embed], "allowed_mentions": {"parse": []}}


def _discord_text(text: str) -> str:
    """Discord's Markdown: each sign that means something is escaped; an address in the text is not made a link."""
    escaped = re.sub(r"([\\*_~`|<>\[\]()#@:\-+.!])", r"\\\1", text)
    return escaped.replace("@", "@\u200b")


def _discord_url(url: str) -> str:
    return url.replace("<", "%3C").replace(">", "%3E").replace("(", "%28").replace(")", "%29").replace(" ", "%20")


def feishu(message: Message, *, key: str = "", timestamp: int = 0) -> dict[str, Any]:
    """Signed where there is a key; `timestamp` in seconds must then be within an hour of theirs."""
    rows, size, left = [[_text(message.headline)]], 0, 0
    for place, line in enumerate(message.lines):
        group = [[{"tag": "a", "text": line.title, "href": line.url} if line.url else _text(line.title)]]
        group += [[_text(part)] for part in (line.about, line.tldr) if part]
        size += len(json.dumps(group).encode())
        if size > FEISHU_BYTES:
            left = len(message.lines) - place
            break
        rows += group
    if more := message.more + left:
        rows.append([_text(f"and {more} more")])
    if message.link:
        rows.append([{"tag": "a", "text": "Open the digest", "href": message.link}])
    body: dict[str, Any] = {
        "msg_type": "post",
        "content": {"post": {"en_us": {"title": message.title, "content": rows}}},
    }
    if key:
        body |= {"timestamp": str(timestamp), "sign": signature(key, timestamp)}
    return body


def signature(key: str, timestamp: int) -> str:
    """Feishu's: HMAC-SHA256 of nothing, under `timestamp` and key as the key, in Base64."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{key}".encode(), b"", hashlib.sha256).digest()).decode()


def _text(text: str) -> dict[str, str]:
    return {"tag": "text", "text": text}


def plain(message: Message) -> dict[str, Any]:
    return message.to_dict()


def _fitting(parts: list[str], room: int) -> tuple[str, int]:
    """As many parts as fit, and how many did not."""
    kept: list[str] = []
    for place, part in enumerate(parts):
        if sum(len(each) + 2 for each in kept) + len(part) > room:
            return "\n\n".join(kept), len(parts) - place
        kept.append(part)
    return "\n\n".join(kept), 0


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
