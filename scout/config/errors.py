"""Words for settings that do not fit: which key, in which file or variable, and what is wrong. Reading them is config's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError


def variables_without_json(settings: type[BaseModel]) -> Iterator[str]:
    """The variables that set a list or a section and hold no JSON."""
    for name, value in sorted(os.environ.items()):
        model: Any = settings
        *sections, key = name.removeprefix("SCOUT_").lower().split("__")
        for section in sections:
            field = getattr(model, "model_fields", {}).get(section)
            model = field.annotation if field else None
        field = getattr(model, "model_fields", {}).get(key) if name.startswith("SCOUT_") else None
        if field and (get_origin(field.annotation) is tuple or hasattr(field.annotation, "model_fields")):
            try:
                json.loads(value)
            except ValueError:
                yield name


_IN_WORDS = {
    "extra_forbidden": "no such setting; check the spelling",
    "tuple_type": 'must be a list, such as ["one", "two"]',
    "missing": "is missing",
}


def explained(err: ValidationError, path: Path, values: Mapping[str, Any]) -> str:
    """A line that names each key or variable that does not fit, and where it stands."""
    lines = []
    for problem in err.errors():
        key = ".".join(str(part) for part in problem["loc"])
        variable = "SCOUT_" + "__".join(str(part).upper() for part in problem["loc"])
        place = problem["loc"][:-1] if problem["type"] == "missing" else problem["loc"]
        origin = variable if variable in os.environ else f"{key} in {path}" if _holds(values, place) else key
        hint = _IN_WORDS.get(problem["type"], problem["msg"])
        lines.append(f"{origin}: {hint.removeprefix('Value error, ')}")
    return "; ".join(lines)


def _holds(values: Any, location: tuple[int | str, ...]) -> bool:
    """Whether the file has a value at that place."""
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
