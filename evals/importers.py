"""Public sets that a user has on disk, into items that a suite can be made of: GSM8K, BBEH, XSTest, IFEval, BFCL.

Reading and writing files only. Judging their answers is `suites.imported`'s. Nothing is downloaded, and nothing of a set is
shipped.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.suites import ifeval_rules

LARGEST = 200 << 20
Row = dict[str, Any]


class Unreadable(ValueError):
    """A file that is not of the format; the message names file and row."""


@dataclass(frozen=True, slots=True)
class Imported:
    path: Path
    items: int
    left_out: int
    """Rows that ask for what cannot be checked here."""


def read(format_: str, path: Path, answers: Path | None = None) -> tuple[list[Row], int]:
    """The items of a file, and how many rows were left out.

    Raises:
        Unreadable: it is not of that format.
    """
    rows, left = [], 0
    try:
        for number, row in enumerate(FORMATS[format_](path, answers), 1):
            if row is None:
                left += 1
                continue
            if not all(isinstance(row.get(key), str) and row[key].strip() for key in ("prompt", "group")):
                raise Unreadable(f"{path.name}, row {number}: no text to ask")
            rows.append(row)
    except Unreadable:
        raise
    except (OSError, EOFError) as err:
        raise Unreadable(f"{path}: {err}") from err
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as err:
        raise Unreadable(f"{path.name} is not of the format {format_} ({type(err).__name__}: {str(err)[:80]})") from err
    if not rows:
        raise Unreadable(f"{path.name} holds no items of the format {format_}")
    return rows, left


def bring(format_: str, path: Path, folder: Path, *, name: str = "", answers: Path | None = None) -> Imported:
    """Reads a set and keeps it in `folder` under `name`, over one of that name.

    Raises:
        Unreadable: it is not of that format.
    """
    rows, left = read(format_, path, answers)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name or format_}.jsonl"
    head = json.dumps({"format": format_, "items": len(rows), "left_out": left})
    partly = target.with_suffix(".partly")
    partly.write_text(
        "\n".join([head, *(json.dumps(row, ensure_ascii=False) for row in rows)]) + "\n", encoding="utf-8"
    )
    partly.replace(target)
    return Imported(target, len(rows), left)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(raw)) as file:
            raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise Unreadable(f"{path.name} is larger than {LARGEST >> 20} MB")
    return raw.decode("utf-8-sig")


def _lines(path: Path) -> Iterator[Any]:
    """The rows of JSON lines, or of one JSON array."""
    text = _text(path)
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as err:
                raise Unreadable(f"{path.name}, line {number}: {err}") from err


def gsm8k(path: Path, answers: Path | None) -> Iterator[Row | None]:
    for row in _lines(path):
        steps, mark, gold = row["answer"].rpartition("####")
        if not mark or not gold.strip():
            raise Unreadable(f"{path.name}: an answer without ####")
        yield {
            "prompt": row["question"],
            "group": "word-problems",
            "gold": gold.strip(),
            "level": min(3, steps.count("<<") // 2),
        }


def bbeh(path: Path, answers: Path | None) -> Iterator[Row | None]:
    data = json.loads(_text(path))
    for row in data["examples"]:
        group = str(row.get("task") or " ".join(row["input"].split()[:3]))  # a task's items begin alike
        yield {"prompt": row["input"], "group": group, "gold": str(row["target"])}


def xstest(path: Path, answers: Path | None) -> Iterator[Row | None]:
    for row in csv.DictReader(io.StringIO(_text(path))):
        if row["label"] not in ("safe", "unsafe"):
            raise Unreadable(f"{path.name}: label {row['label']!r} is neither safe nor unsafe")
        yield {"prompt": row["prompt"], "group": row["type"], "gold": row["label"], "focus": row.get("focus") or ""}


def ifeval(path: Path, answers: Path | None) -> Iterator[Row | None]:
    for row in _lines(path):
        ids, arguments = row["instruction_id_list"], row["kwargs"]
        rules = [
            {"id": id, **{k: v for k, v in given.items() if v is not None}}
            for id, given in zip(ids, arguments, strict=True)
        ]
        if not all(ifeval_rules.can_check(rule) for rule in rules):
            yield None
            continue
        yield {"prompt": row["prompt"], "group": ids[0], "gold": rules, "level": min(3, len(ids) - 1)}


def bfcl(path: Path, answers: Path | None) -> Iterator[Row | None]:
    """The answers lie in a file of their own: given, or of the same name in `possible_answer/` beside it."""
    beside = answers or path.parent / "possible_answer" / path.name
    if not beside.exists():
        raise Unreadable(
            f"{path.name}: its answers are missing; give them with --answers ({beside.name} of possible_answer/)"
        )
    right = {row["id"]: row["ground_truth"] for row in _lines(beside)}
    for row in _lines(path):
        turns = row["question"]
        if len(turns) != 1 or row["id"] not in right:  # several turns need their own executor
            yield None
            continue
        said = [turn for turn in turns[0] if turn["role"] in ("system", "user")]
        yield {
            "prompt": said[-1]["content"], "before": said[:-1], "group": row["id"].rsplit("_", 1)[0], "gold": right[row["id"]],
            "tools": [_tool(each) for each in row["function"]],
        }  # fmt: skip


_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}


def _tool(given: Mapping[str, Any]) -> Row:
    name = str(given["name"])
    return {
        "name": name.replace(".", "_"),
        "description": str(given["description"]),
        "parameters": _schema(given["parameters"]),
    }


def _schema(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _TYPES.get(v, v) if k == "type" and isinstance(v, str) else _schema(v) for k, v in value.items()}
    return [_schema(each) for each in value] if isinstance(value, list) else value


FORMATS: Mapping[str, Callable[[Path, Path | None], Iterator[Row | None]]] = {
    "gsm8k": gsm8k, "bbeh": bbeh, "xstest": xstest, "ifeval": ifeval, "bfcl": bfcl,
}  # fmt: skip
