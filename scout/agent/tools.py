"""The tools of one research, all of them read-only: each looks something up and says it as fenced text.

Arguments come from a model and are checked here; addresses come from stored items alone (`fulltext`, `repository`). A call
that cannot be understood is `malformed`; one that finds nothing is an ordinary result that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from scout import untrusted
from scout.agent import arguments as args
from scout.agent import fulltext, repository
from scout.agent.brief import Draft
from scout.agent.neighbours import neighbours
from scout.identity import parse_ref
from scout.items import Item, ItemId
from scout.net.errors import FetchError
from scout.serving.messages import ToolCall
from scout.sources.base import Tools
from scout.store import Store
from scout.store.items import Stored
from scout.store.search import MARK_END, MARK_START
from scout.text import sentences, tex_to_plain

HITS = 8
LISTED = 200
LINES = 160
CHARACTERS = 7_000
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    text: str
    malformed: bool = False
    """The call could not be understood; `text` says why."""
    shown: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    met: tuple[ItemId, ...] = ()
    """Items of the archive that this result names."""
    note: str = ""
    draft: Draft | None = None


class Toolbox:
    """For one item's research; used by one thread at a time, whichever that is."""

    def __init__(self, tools: Tools, fence: str) -> None:
        self._tools = tools
        self._fence = fence
        self._texts: dict[ItemId, fulltext.FullText] = {}
        self._repositories: dict[str, repository.Repository] = {}

    def use(self, call: ToolCall) -> Result:
        """What a call finds; never raises for what a model wrote or the outside answered."""
        wanted = args.TOOLS.get(call.name)
        if wanted is None:
            return Result(text=f"There is no such tool. The tools are: {', '.join(args.TOOLS)}.", malformed=True)
        try:
            given = wanted.model_validate_json(call.arguments or "{}")
        except ValidationError as err:
            return Result(text=f"The arguments of {call.name} do not fit: {explained(err)}", malformed=True)
        if isinstance(given, Draft):
            return Result(text="Handed in.", draft=given)
        if isinstance(given, args.Note):
            return Result(text="Noted.", note=untrusted.folded(given.text, limit=1_000))
        try:
            return self._look(given)
        except FetchError as err:
            return Result(text=self._fenced("It cannot be had.", [err.message[:500]]))

    def _look(self, given: BaseModel) -> Result:
        with Store(self._tools.settings.database) as store:
            if isinstance(given, args.Search):
                hits = store.items.search(given.query, limit=HITS)
                return self._listed([(hit.stored, _unmarked(hit.snippet)) for hit in hits])
            item = _stored(store, str(getattr(given, "item", "")))
            if item is None:
                return Result(
                    text="No stored item has that id. Use an id as a result of search shows it; no address is opened."
                )
            if isinstance(given, args.Neighbours):
                return self._listed([(each, each.item.text[:200]) for each in neighbours(store, item)])
        if isinstance(given, args.ReadItem):
            return self._page(item, given.page)
        if isinstance(given, args.ListRepository):
            return self._files(item, given.repository)
        assert isinstance(given, args.ReadRepository)
        return self._file(item, given)

    def _listed(self, rows: list[tuple[Stored, str]]) -> Result:
        if not rows:
            return Result(text="Nothing in the archive matches. Try fewer or other words.")
        lines = [_row(stored, text) for stored, text in rows]
        return Result(text=self._fenced(f"{len(rows)} items.", lines), met=tuple(s.item.id for s, _ in rows))

    def _page(self, item: Item, page: int) -> Result:
        if page == 0:
            return abstract(item, self._fence)
        text = self._text(item)
        if page > len(text.pages):
            return Result(text=f"The full text has {len(text.pages)} pages.")
        numbers = text.pages[page - 1]
        there = {number: text.sentences[number - 1] for number in numbers}
        place = f"{item.id} full"
        head = f"Page {page} of {len(text.pages)}, from its {text.how.value}."
        if text.note:
            head += " It is not the whole text: only what is stored could be had."
        return Result(text=self._fenced(head, _numbered(place, there)), shown={place: there}, met=(item.id,))

    def _files(self, item: Item, number: int) -> Result:
        found, head = self._repository(item, number)
        if found is None:
            return Result(text=head)
        lines = [str(found.name), *(f"{file.path} ({file.size:,} bytes)" for file in found.files[:LISTED])]
        if len(found.files) > LISTED:
            head += f" {len(found.files) - LISTED} more files are not listed."
        if found.refused:
            head += f" {len(found.refused)} entries were refused: links, or paths that lead out of the repository."
        return Result(text=self._fenced(f"{head} {found.left_out}".strip(), lines))

    def _file(self, item: Item, given: args.ReadRepository) -> Result:
        found, head = self._repository(item, given.repository)
        if found is None:
            return Result(text=head)
        file = found.file(given.path)
        if file is None:
            return Result(text="The repository has no such file. Use a path as list_repository shows it.")
        if file.text is None:
            return Result(text="That file is no text, or too large to be read.")
        there = _some_lines(file.lines, given.first_line)
        if not there:
            return Result(text=f"That file has {len(file.lines)} lines.")
        place = f"{found.name} {file.path}"
        head = f"Lines {min(there)} to {max(there)} of {len(file.lines)}."
        return Result(text=self._fenced(head, _numbered(place, there)), shown={place: there})

    def _repository(self, item: Item, number: int) -> tuple[repository.Repository | None, str]:
        """The repository, and words about it or about why there is none."""
        names = repository.named((item.url, item.text, item.comment)) or repository.named([self._text(item).text])
        if number > len(names):
            return (
                None,
                f"The item links to {len(names)} repositories." if names else "The item links to no repository.",
            )
        name = names[number - 1]
        if str(name) not in self._repositories:
            self._repositories[str(name)] = repository.fetch(name, self._tools)
        return self._repositories[str(name)], f"Repository {number} of {len(names)}."

    def _text(self, item: Item) -> fulltext.FullText:
        if item.id not in self._texts:
            self._texts[item.id] = fulltext.read(item, self._tools)
        return self._texts[item.id]

    def _fenced(self, head: str, lines: list[str]) -> str:
        return f"{head}\n{untrusted.fenced(chr(10).join(lines), self._fence)}"


def abstract(item: Item, fence: str) -> Result:
    """An item as it is stored: title, authors, numbered sentences."""
    there = dict(enumerate(sentences(item.text), 1))
    place = f"{item.id} abstract"
    lines = [
        f"title: {untrusted.folded(tex_to_plain(item.title), limit=400)}",
        f"authors: {untrusted.folded(', '.join(item.authors), limit=300)}",
        f"comment: {untrusted.folded(item.comment, limit=300)}",
        *_numbered(place, there),
    ]
    return Result(
        text=f"Stored abstract.\n{untrusted.fenced(chr(10).join(lines), fence)}", shown={place: there}, met=(item.id,)
    )


def explained(err: ValidationError) -> str:
    """What is wrong with arguments, without what was written there."""
    wrong = [
        f"{'.'.join(map(str, part['loc'])) or 'the whole'}: {part['msg']}" for part in err.errors(include_url=False)
    ]
    return untrusted.folded("; ".join(wrong[:5]), limit=500)


def _stored(store: Store, ref: str) -> Item | None:
    """A stored item by what a model calls it. The words are looked up and never asked of anybody."""
    name = ref.strip()
    return store.items.get(name) or store.items.get(parse_ref(name) or name)


def _row(stored: Stored, text: str) -> str:
    item = stored.item
    day = f"{item.published:%Y-%m-%d}" if item.published else "day unknown"
    title = untrusted.folded(tex_to_plain(item.title), limit=200)
    return " | ".join((item.id, day, title, untrusted.folded(text, limit=240)))


def _numbered(place: str, there: Mapping[int, str]) -> list[str]:
    return [f"place: {place}", *(f"[{number}] {text}" for number, text in there.items())]


def _some_lines(lines: list[str], first: int) -> dict[int, str]:
    """Lines from `first` on, as many as a result can show."""
    there: dict[int, str] = {}
    size = 0
    for number, text in enumerate(lines[first - 1 : first - 1 + LINES], first):
        there[number] = text[:LONGEST_LINE]
        size += len(there[number])
        if size > CHARACTERS:
            break
    return there


def _unmarked(snippet: str) -> str:
    return snippet.replace(MARK_START, "").replace(MARK_END, "")
