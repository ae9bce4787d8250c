"""The faces of a digest, by the names that the command line and the pages use for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from scout.digest.atom import atom
from scout.digest.html import html
from scout.digest.json_face import to_json
from scout.digest.markdown import markdown
from scout.digest.model import Digest


class Face(StrEnum):
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"
    ATOM = "atom"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES: Mapping[Face, str] = {
    Face.MARKDOWN: "text/markdown; charset=utf-8",
    Face.HTML: "text/html; charset=utf-8",
    Face.JSON: "application/json",
    Face.ATOM: "application/atom+xml; charset=utf-8",
}

_RENDERERS: Mapping[Face, Callable[[Digest], str]] = {
    Face.MARKDOWN: markdown,
    Face.HTML: html,
    Face.JSON: to_json,
    Face.ATOM: atom,
}


def render(digest: Digest, face: Face | str) -> str:
    """The digest in that face.

    Raises:
        ValueError: there is no face of that name.
    """
    return _RENDERERS[Face(face)](digest)
