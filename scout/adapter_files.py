"""Adapters as files: each version in a folder of its own under `adapters/` in the data directory, and nowhere else.

A folder holds two files, LoRA weights as safetensors and peft's description of them; nothing in them is ever executed. What
comes from elsewhere is copied in. The checksum is taken of what was copied, and looked at before every load.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from scout.config import Settings

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
FILES = (CONFIG, WEIGHTS)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_LONGEST_HEADER = 100_000_000
_LONGEST_CONFIG = 1_000_000


class BadAdapter(Exception):
    """A folder that is no adapter, or no longer the one that was brought in; the message says which and why."""


def home(settings: Settings) -> Path:
    return settings.data_dir / "adapters"


def folder(settings: Settings, name: str) -> Path:
    """Where the adapter of this name lies.

    Raises:
        BadAdapter: the name is none, a path above all, or leads out of the data directory.
    """
    if not _NAME.fullmatch(name):
        raise BadAdapter(
            f"{name!r} names no adapter: only those in {home(settings)} are served; `scout policy adopt FOLDER` copies one in"
        )
    found = home(settings) / name
    if found.is_symlink() or found.resolve().parent != home(settings).resolve():
        raise BadAdapter(f"{found} leads elsewhere; remove it and bring the adapter in with `scout policy adopt`")
    return found


def bring(settings: Settings, source: Path, name: str) -> str:
    """Copy the two files of `source` to the folder of that name; their checksum. All of it appears at once, or nothing.

    Raises:
        BadAdapter: `source` is no LoRA adapter as safetensors, or there is one of that name.
        OSError: it cannot be read or written; nothing is left behind.
    """
    told = inspected(source)
    place = folder(settings, name)
    if place.exists():
        raise BadAdapter(f"there is an adapter called {name} already; every version has a name of its own")
    half = place.with_name(f".{name}.{os.getpid()}.part")
    half.mkdir(parents=True)
    try:
        for file in FILES:
            shutil.copyfile(source / file, half / file)
            _flush(half / file)
        if inspected(half) != told:
            raise BadAdapter(f"{source} changed while it was copied; nothing was kept")
        half.rename(place)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return told


def inspected(source: Path) -> str:
    """The checksum of an adapter's files, having looked whether they are one.

    Raises:
        BadAdapter: they are not.
    """
    for file in FILES:
        if (source / file).is_symlink() or not (source / file).is_file():
            raise BadAdapter(
                f"{source} holds no {file}: an adapter is what peft's save_pretrained writes, as safetensors"
            )
    try:
        if (source / CONFIG).stat().st_size > _LONGEST_CONFIG:
            raise ValueError("too long for a description")
        told = json.loads((source / CONFIG).read_text(encoding="utf-8"))
        kind = told.get("peft_type") if isinstance(told, dict) else None
    except (ValueError, RecursionError) as err:
        raise BadAdapter(f"{source / CONFIG} cannot be read: {err}") from err
    if kind != "LORA":
        raise BadAdapter(f"{source / CONFIG} describes {kind or 'nothing'}; only LoRA adapters can be served")
    _look_at_weights(source / WEIGHTS)
    digest = hashlib.blake2b(digest_size=16)
    for file in FILES:
        with (source / file).open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def verify(settings: Settings, name: str, checksum: str) -> Path:
    """The folder of an adapter whose files are still those that were brought in.

    Raises:
        BadAdapter: they are gone or others.
    """
    place = folder(settings, name)
    if inspected(place) != checksum:
        raise BadAdapter(f"the files in {place} are not those that were brought in: their checksum differs")
    return place


def _look_at_weights(path: Path) -> None:
    """A safetensors file begins with the length of a JSON header, which names tensors; their bytes fill the rest exactly."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
                raise ValueError("its header does not fit")
            header = json.loads(file.read(length))
        tensors = [told for name, told in header.items() if name != "__metadata__"]
        ends = [int(told["data_offsets"][1]) for told in tensors]
        if not ends or max(ends) != size - 8 - length:
            raise ValueError("it was cut off, or holds no tensor")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as err:
        raise BadAdapter(f"{path} is no safetensors file: {err}") from err


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
