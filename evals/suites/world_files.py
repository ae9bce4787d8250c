"""A folder of notes: list, read, write, move, delete. Two tasks: file notes by project; add up what the receipts say."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from evals.suites.worlds import PAGE, PAGE_NUMBER, TEXT, Deed, Refused, State, World, call, found, paged
from scout.serving.messages import ToolCall

PROJECTS = ("heron", "quartz", "lantern", "maple", "tundra", "violet")
WORDS = ("draft", "minutes", "ideas", "reply", "todo", "review", "figures", "quote")
SHOPS = ("station kiosk", "paper mill", "tool hire", "north bakery", "ferry office", "print room")
MOST_FILES = 200


def _list(state: State, given: Mapping[str, Any]) -> str:
    return paged(sorted(state["files"]), given["page"])


def _read(state: State, given: Mapping[str, Any]) -> str:
    return str(found(state["files"], given["path"], "file"))


def _path(path: str) -> str:
    parts = path.split("/")
    if not all(part and part not in (".", "..") for part in parts) or len(path) > 120:
        raise Refused(f"{path[:80]} is no path; write folder/name without ./ or a leading /")
    return path


def _write(state: State, given: Mapping[str, Any]) -> str:
    if len(state["files"]) >= MOST_FILES:
        raise Refused("the disk is full")
    state["files"][_path(given["path"])] = given["text"].strip()
    return "written"


def _move(state: State, given: Mapping[str, Any]) -> str:
    text, target = found(state["files"], given["path"], "file"), _path(given["to"])
    if target in state["files"]:
        raise Refused(f"{target} exists already")
    del state["files"][given["path"]]
    state["files"][target] = text
    return "moved"


def _delete(state: State, given: Mapping[str, Any]) -> str:
    found(state["files"], given["path"], "file")
    del state["files"][given["path"]]
    return "deleted"


PATH = {"type": "string", "description": "a path such as inbox/note-12.txt"}
DEEDS = (
    Deed.of("list_files", "Lists all files, five a page.", {"page": PAGE_NUMBER}, _list),
    Deed.of("read_file", "Shows a file's text.", {"path": PATH}, _read),
    Deed.of("write_file", "Writes a file, over what was there.", {"path": PATH, "text": TEXT}, _write),
    Deed.of(
        "move_file", "Moves or renames a file. Folders come into being as needed.", {"path": PATH, "to": PATH}, _move
    ),
    Deed.of("delete_file", "Deletes a file for good.", {"path": PATH}, _delete),
)

FILE = """You keep a folder of notes in order, with tools. Each file in inbox/ has a first line that names its project and
its state. Move each file whose state is `kept` to projects/<project>/ under its own name, delete each whose state is
`void`, and leave those whose state is `open` where they are. Touch nothing outside inbox/. When all is done, say so."""
ADD = """You keep accounts, with tools. Each file in receipts/ names a shop, a month and an amount. Write the file totals/{month}.txt
that has, for every shop with a receipt of {month}, a line `<shop>: <sum of its amounts of that month>`, shops in
alphabetical order, and nothing else. Change no other file. When it is written, end your reply with a line `Answer: ` and
the sum over all these shops."""


def file(draw: random.Random, level: int) -> tuple[str, World]:
    """Notes to be moved, deleted or left, by what their first line says."""
    files: dict[str, str] = {}
    right: list[ToolCall] = []
    for number in draw.sample(range(10, 100), (1, 7, 12, 24)[level]):
        path = f"inbox/{draw.choice(WORDS)}-{number}.txt"
        project, state = draw.choice(PROJECTS), draw.choice(["kept", "kept", "void", "open"]) if files else "kept"
        files[path] = f"project: {project}; state: {state}\n{_prose(draw)}"
        if state == "kept":
            right.append(call("move_file", path=path, to=f"projects/{project}/{path.removeprefix('inbox/')}"))
        elif state == "void":
            right.append(call("delete_file", path=path))
    for number in range(1 + level):
        files[f"archive/{draw.choice(WORDS)}-{number}.txt"] = (
            f"project: {draw.choice(PROJECTS)}; state: void\n{_prose(draw)}"
        )
    mine = [path for path in sorted(files) if path.startswith("inbox/")]
    return FILE, World("", DEEDS, {"files": files}, (*_looking(files, mine), *right))


def add(draw: random.Random, level: int) -> tuple[str, World]:
    """Receipts of two months, of which one is to be added up shop by shop."""
    month, other = draw.sample(("March", "June", "August", "October"), 2)
    files: dict[str, str] = {}
    sums: dict[str, int] = {}
    for number in draw.sample(range(100, 1000), (1, 8, 16, 40)[level]):
        shop, amount = draw.choice(SHOPS), draw.randrange(3, 400)
        when = month if not files or draw.random() < 0.7 else other
        files[f"receipts/r{number}.txt"] = f"{shop}, {when}, amount {amount}"
        if when == month:
            sums[shop] = sums.get(shop, 0) + amount
    text = "\n".join(f"{shop}: {sums[shop]}" for shop in sorted(sums))
    right = (*_looking(files, sorted(files)), call("write_file", path=f"totals/{month}.txt", text=text))
    return ADD.format(month=month), World("", DEEDS, {"files": files}, right, str(sum(sums.values())))


def _prose(draw: random.Random) -> str:
    return f"Spoke about the {draw.choice(WORDS)} with {draw.choice(['Ines', 'Omar', 'Petra'])}; page {draw.randrange(2, 90)} stands."


def _looking(files: Mapping[str, str], wanted: list[str]) -> list[ToolCall]:
    pages = range(1, 2 + (len(files) - 1) // PAGE)
    return [*(call("list_files", page=page) for page in pages), *(call("read_file", path=path) for path in wanted)]
