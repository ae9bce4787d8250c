"""Secrets in files: `SCOUT_MODEL__API_KEY_FILE=/run/secrets/key` stands for `SCOUT_MODEL__API_KEY`. For every secret there is.

Containers and systemd hand secrets over as files, which no other process can read from the environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, SecretStr

SUFFIX = "_FILE"
_LARGEST = 65_536


class BadSecret(ValueError):
    """A file that should hold a secret and does not; the message names the variable and the file, never what is in it."""


def variables(settings: type[BaseModel], prefix: str = "SCOUT_") -> Iterator[str]:
    """The variables that hold a secret."""
    for name, field in settings.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        if SecretStr in kinds:
            yield prefix + name.upper()
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from variables(kind, f"{prefix}{name.upper()}__")


def with_files(settings: type[BaseModel], environment: Mapping[str, str | None]) -> dict[str, str | None]:
    """`environment` (names in lower case) with each secret that a `_FILE` names in its place.

    Raises:
        BadSecret: the file cannot be read or is empty, or the secret is given twice.
    """
    found = dict(environment)
    for variable in variables(settings):
        name = f"{variable}{SUFFIX}".lower()
        path = found.pop(name, None)
        if not path:
            continue
        if found.get(variable.lower()):
            raise BadSecret(f"{variable} and {variable}{SUFFIX} are both set; one of them is enough")
        found[variable.lower()] = _read(variable, Path(path))
    return found


def _read(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        secret = data.decode("utf-8").strip()
    except OSError as err:
        raise BadSecret(f"{variable}{SUFFIX} names {path}, which cannot be read: {err.strerror}") from err
    except UnicodeDecodeError:
        raise BadSecret(f"{variable}{SUFFIX} names {path}, which holds no text") from None
    if not secret or len(data) > _LARGEST:
        raise BadSecret(f"{variable}{SUFFIX} names {path}, which is {'too large' if secret else 'empty'}")
    return secret
