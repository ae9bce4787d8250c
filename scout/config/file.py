"""Write scout.toml: the commented file that `scout init` makes, and the reader's subjects, comments kept.

Whatever is written here loads again with `scout.config.load`. A write is a temporary file put in the old one's place, so
that no one ever reads half of it. Reading settings is `scout.config`'s.
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from scout.config import ConfigError, Settings, SubjectSettings
from scout.config.comments import HEADER, KEYS, SECTIONS, SUBJECTS
from scout.items import OTHER, Subject
from scout.subjects import DEFAULT_SUBJECTS


class Exists(Exception):
    """The file is there already, and nobody asked to replace it."""


def template() -> str:
    """A scout.toml with every setting, each at its default and commented out; only the subjects are live."""
    defaults = Settings.model_construct()
    parts = [HEADER, *(_key(name, getattr(defaults, name), name) for name in ("reader", "data_dir"))]
    for name, comment in SECTIONS.items():
        parts += _section(name, comment, getattr(defaults, name))
    parts.append(SUBJECTS)
    parts += ["[[subjects]]\n" + _pairs(entry) for entry in DEFAULT_SUBJECTS]
    return "\n".join(parts)


def _section(name: str, comment: str, values: BaseModel) -> list[str]:
    """A table and its keys, then the tables inside it."""
    fields = {key: getattr(values, key) for key in type(values).model_fields}
    parts = ["\n" + comment + f"[{name}]\n"]
    parts += [_key(key, value, f"{name}.{key}") for key, value in fields.items() if not isinstance(value, BaseModel)]
    for key, value in fields.items():
        if isinstance(value, BaseModel):
            parts += _section(f"{name}.{key}", KEYS.get(f"{name}.{key}", ""), value)
    return parts


def _key(name: str, value: Any, path: str) -> str:
    comment = "".join(f"# {line}\n" for line in KEYS.get(path, "").splitlines())
    return f"{comment}#{name} = {_toml(value)}\n"


def _pairs(entry: dict[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in entry.items() if value)


def _toml(value: Any) -> str:
    """A default as TOML. JSON's strings, numbers and booleans are TOML's."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_template(path: Path, *, replace: bool = False) -> None:
    """Make `path` the commented default configuration.

    Raises:
        Exists: it is there, and `replace` is false.
        ConfigError: it cannot be written.
    """
    if path.exists() and not replace:
        raise Exists(f"{path} is there already")
    write(path, template())


def set_subjects(path: Path, subjects: Sequence[Subject]) -> None:
    """Make `subjects`, in this order, the subjects of the file at `path`; everything else in it stays as it is.

    A subject that stays keeps its comments. Where there is no file yet, the commented default is made.

    Raises:
        ConfigError: the file is no TOML now, a subject does not fit, or the environment holds subjects that would win.
    """
    if "SCOUT_SUBJECTS" in os.environ:
        raise ConfigError("SCOUT_SUBJECTS in the environment wins over the file: unset it to edit the subjects here")
    _vet(subjects)
    before = _read(path)
    text = _replaced(before, subjects, path)
    wanted = tomllib.loads(before) | {"subjects": [_values(subject) for subject in subjects]}
    if tomllib.loads(text) != wanted:
        raise RuntimeError(f"the subjects did not survive being written to {path}; it was left as it was")
    write(path, text)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # not read_text: line endings stay as they are
    except FileNotFoundError:
        return template()
    except UnicodeDecodeError as err:
        raise ConfigError(f"{path} is not valid TOML: {err}") from err
    except OSError as err:
        raise ConfigError(f"{path} cannot be read: {err.strerror}") from err


def _vet(subjects: Sequence[Subject]) -> None:
    if not subjects:
        raise ConfigError("subjects: keep at least one")
    seen: set[str] = set()
    for subject in subjects:
        if subject.slug in seen or subject.slug == OTHER:
            raise ConfigError(
                f"subjects: the slug {subject.slug!r} is {'used twice' if subject.slug in seen else 'reserved'}"
            )
        seen.add(subject.slug)
        try:
            SubjectSettings(**asdict(subject))
        except ValidationError as err:
            what = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in err.errors())
            raise ConfigError(f"subjects, {subject.slug!r}: {what}") from err


def _values(subject: Subject) -> dict[str, Any]:
    """What of a subject is written: its slug, its name, and what is not empty."""
    pairs = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(subject).items()}
    return {key: value for key, value in pairs.items() if value or key in ("slug", "name")}


def _replaced(text: str, subjects: Sequence[Subject], path: Path) -> str:
    from tomlkit.exceptions import TOMLKitError

    from scout.config.subjects_text import replaced

    try:
        tomllib.loads(text)
        return replaced(text, [_values(subject) for subject in subjects])
    except (ValueError, RecursionError, TOMLKitError) as err:
        raise ConfigError(f"{path} is not valid TOML, mend it before editing subjects: {err}") from err


def write(path: Path, text: str) -> None:
    """Put `text` in the place of `path` in one step. A link is followed, the file's mode is kept.

    Raises:
        ConfigError: the folder or the file cannot be written.
    """
    path = path.resolve()
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as err:
        raise ConfigError(f"{path} cannot be written: {err.strerror}") from err
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
