"""What the tools of a research are called, what they say of themselves to a model, and the arguments that each takes.

Arguments are ids of stored items, paths, numbers and words. None is an address, and nothing here could become one.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from scout.agent.brief import Draft, inlined
from scout.serving.messages import Tool


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Search(Arguments):
    """Search the archive of stored papers and posts by words; every word must occur. Gives ids, titles and snippets."""

    query: str = Field(min_length=1, max_length=200, description="two to four words")


class ReadItem(Arguments):
    """Read an item: page 0 is its stored abstract, page 1 and on its full text, with numbered sentences."""

    item: str = Field(max_length=500, description="the id of an item, as a result shows it")
    page: int = Field(1, ge=0, le=1000)


class Neighbours(Arguments):
    """List items of the archive that are close to an item by the words of its title or by its authors."""

    item: str = Field(max_length=500, description="the id of an item")


class ListRepository(Arguments):
    """List the files of a code repository that an item itself links to."""

    item: str = Field(max_length=500, description="the id of the item that links to the code")
    repository: int = Field(1, ge=1, le=20, description="which of the repositories it links to, by number")


class ReadRepository(Arguments):
    """Read a file of a code repository that an item itself links to, with numbered lines. Nothing is ever run."""

    item: str = Field(max_length=500, description="the id of the item that links to the code")
    path: str = Field(max_length=400, description="the path of the file, as list_repository shows it")
    first_line: int = Field(1, ge=1, le=1_000_000)
    repository: int = Field(1, ge=1, le=20, description="which of the repositories it links to, by number")


class Note(Arguments):
    """Keep a note. Notes stay before you when older results no longer fit."""

    text: str = Field(min_length=1, max_length=1_000)


class Finish(Draft):
    """Hand in the brief and end the research. Every claim cites numbers of sentences or lines that you read."""


TOOLS: Mapping[str, type[BaseModel]] = {
    "search": Search,
    "read_item": ReadItem,
    "neighbours": Neighbours,
    "list_repository": ListRepository,
    "read_repository": ReadRepository,
    "note": Note,
    "finish": Finish,
}


def specifications() -> tuple[Tool, ...]:
    """The tools as a model is told of them."""
    return tuple(
        Tool(
            name, (arguments.__doc__ or "").strip(), {k: v for k, v in inlined(arguments).items() if k != "description"}
        )
        for name, arguments in TOOLS.items()
    )
