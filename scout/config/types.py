"""What every part of the settings is made of."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be an http or https address, not {value.rpartition('@')[2]!r}")
    if "@" in parts.netloc:
        raise ValueError("must not hold a name or password: addresses are logged and shown")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as err:
        raise ValueError(f"no time zone is called {value!r}; use a name such as Europe/Paris") from err
    return value


def _folder(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError as err:
        raise ValueError(f"no home folder is known for {str(value)!r}; write it out") from err


def _not_blank(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty; leave it out for the default")
    return value


TimeZone = Annotated[str, AfterValidator(_timezone)]
Folder = Annotated[Path, BeforeValidator(_not_blank), AfterValidator(_folder)]
Name = Annotated[str, BeforeValidator(_not_blank), AfterValidator(str.strip)]
Category = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*(\.[A-Za-z]+(-[A-Za-z]+)*)?$")]
"""Such as cs.LG, cond-mat.dis-nn or hep-th."""


class Security(StrEnum):
    """How a mail server is spoken to: TLS asked for amid the talk, from the first byte, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
