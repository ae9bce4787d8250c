"""A subject as it is written in scout.toml."""

from __future__ import annotations

from pydantic import Field

from scout.config.types import Section
from scout.items import OTHER, Subject


class SubjectSettings(Section):
    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    description: str = ""
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()

    def subject(self) -> Subject:
        return Subject(self.slug, self.name, self.description, self.keywords, self.categories, self.liked)


def unique_slugs(value: tuple[SubjectSettings, ...]) -> tuple[SubjectSettings, ...]:
    seen: set[str] = set()
    for entry in value:
        if entry.slug in seen or entry.slug == OTHER:
            raise ValueError(f"the slug {entry.slug!r} is {'reserved' if entry.slug == OTHER else 'used twice'}")
        seen.add(entry.slug)
    return value
