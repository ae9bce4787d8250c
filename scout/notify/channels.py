"""The ways that are set up, each able to send one message. What is to be sent and what was is `deliver`'s."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scout.clock import now
from scout.config import Settings
from scout.config.notify import Hook
from scout.digest.faces import Face, render
from scout.digest.model import Digest
from scout.notify import mail, shapes
from scout.notify.errors import NotSent
from scout.notify.message import Message
from scout.notify.post import post, problem

Send = Callable[[Message, Digest | None], None]


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    readers: tuple[str, ...]
    problem: str
    """Why it cannot work, naming the key; empty where nothing is known against it."""
    send: Send
    """Raises NotSent. Without a digest it is a test."""


def channels(settings: Settings) -> list[Channel]:
    """Those that are set up, in a fixed order."""
    notify = settings.notify
    found = [_mail(settings)] if notify.mail.host else []
    shaped: tuple[tuple[str, Hook, Callable[[Message], Mapping[str, Any]], Callable[[bytes], str]], ...] = (
        ("slack", notify.slack, shapes.slack, _nothing),
        ("discord", notify.discord, shapes.discord, _nothing),
        ("feishu", notify.feishu, _signed(settings), refused_by_feishu),
        ("webhook", notify.webhook, shapes.plain, _nothing),
    )
    for name, hook, shape, refused in shaped:
        if hook.url.get_secret_value():
            found.append(_hook(settings, name, hook, shape, refused))
    return found


def _hook(
    settings: Settings, name: str, hook: Hook, shape: Callable[[Message], Mapping[str, Any]],
    refused: Callable[[bytes], str],
) -> Channel:  # fmt: skip
    url = hook.url.get_secret_value().strip()
    headers = {"content-type": "application/json; charset=utf-8"}
    if name == "webhook" and (token := settings.notify.webhook.token.get_secret_value()):
        headers["authorization"] = f"Bearer {token}"

    def send(message: Message, digest: Digest | None) -> None:
        body = json.dumps(shape(message), ensure_ascii=False).encode("utf-8", "replace")
        answer = post(url, body, seconds=settings.notify.timeout_seconds, headers=headers)
        if said := refused(answer):
            raise NotSent(said)

    wrong = f"notify.{name}.url {problem(url)}" if problem(url) else ""
    return Channel(name, hook.readers or (settings.reader,), wrong, send)


def _nothing(answer: bytes) -> str:
    return ""


def refused_by_feishu(answer: bytes) -> str:
    """Feishu says 200 and means no: a `code` that is not 0."""
    try:
        said = json.loads(answer)
        code = said.get("code", said.get("StatusCode", 0)) if isinstance(said, dict) else 0
    except (ValueError, RecursionError):
        return "its answer is no JSON; is it the address of a custom bot?"
    return f"it refused with code {int(code)}" if isinstance(code, int) and code else ""


def _signed(settings: Settings) -> Callable[[Message], Mapping[str, Any]]:
    key = settings.notify.feishu.key.get_secret_value()
    return lambda message: shapes.feishu(message, key=key, timestamp=int(now().timestamp()))


def _mail(settings: Settings) -> Channel:
    given = settings.notify.mail

    def send(message: Message, digest: Digest | None) -> None:
        text = render(digest, Face.MARKDOWN) if digest else f"{message.headline}\n"
        link = f"\n{message.link}\n" if message.link else ""
        made = mail.compose(
            given,
            to=given.to[message.reader],
            subject=f"{message.title}: {message.headline}",
            text=text + link,
            page=render(digest, Face.HTML) if digest else "",
            about=f"{message.reader} {message.day} {now().isoformat() if message.test else ''}",
            at=now(),
        )
        mail.send(given, made, seconds=settings.notify.timeout_seconds)

    return Channel("mail", tuple(given.to), mail.problem(given), send)
