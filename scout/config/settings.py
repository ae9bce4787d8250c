"""Settings: `scout.toml`, then `SCOUT_*` from the environment, over the defaults written here and nowhere else.

`load()` reads them; a mistake raises `ConfigError`, whose text names the file or variable, the key and what to do.
Nested keys are written `SCOUT_ARXIV__RSS_URL` in the environment; lists as JSON.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar

import platformdirs
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from scout.config.access import Access
from scout.config.errors import explained, variables_without_json
from scout.config.eval import Eval
from scout.config.keeping import Keeping
from scout.config.mail import Mail
from scout.config.mcp import Mcp
from scout.config.model import Embedding, Model, Research
from scout.config.notify import Notify
from scout.config.polling import Arxiv, GitHub, HuggingFace, Net, Sources
from scout.config.secrets import BadSecret, with_files
from scout.config.subjects import SubjectSettings, unique_slugs
from scout.config.train import Train
from scout.config.triage import DigestSettings, Triage
from scout.config.types import Folder, Name, Section
from scout.items import Subject
from scout.subjects import DEFAULT_SUBJECTS

CONFIG_NAME = "scout.toml"


class ConfigError(Exception):
    """Settings that cannot be used; the message names the key and says what to do."""


class Dashboard(Section):
    address: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)


class Settings(BaseSettings):
    """Everything that can be set. Immutable; `load()` makes it."""

    model_config = SettingsConfigDict(
        env_prefix="SCOUT_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )
    toml: ClassVar[Mapping[str, Any]] = {}

    data_dir: Folder = Field(default_factory=lambda: Path(platformdirs.user_data_dir("scout", appauthor=False)))
    config: Path | None = None
    today: date | None = None
    reader: Name = "me"
    """The reader that commands act for unless `--reader` says otherwise."""
    arxiv: Arxiv = Arxiv()
    huggingface: HuggingFace = HuggingFace()
    github: GitHub = GitHub()
    sources: Sources = Sources()
    net: Net = Net()
    triage: Triage = Triage()
    digest: DigestSettings = DigestSettings()
    model: Model = Model()
    embedding: Embedding = Embedding()
    research: Research = Research()
    eval: Eval = Eval()
    train: Train = Train()
    dashboard: Dashboard = Dashboard()
    keeping: Keeping = Keeping()
    notify: Notify = Notify()
    access: Access = Access()
    mail: Mail = Mail()
    mcp: Mcp = Mcp()
    subjects: Annotated[tuple[SubjectSettings, ...], AfterValidator(unique_slugs)] = tuple(
        SubjectSettings(**entry) for entry in DEFAULT_SUBJECTS
    )

    @property
    def database(self) -> Path:
        return self.data_dir / "scout.db"

    @property
    def log_file(self) -> Path:
        return self.data_dir / "log.jsonl"

    def subject_list(self) -> tuple[Subject, ...]:
        return tuple(entry.subject() for entry in self.subjects)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What load() read from the file arrives as init values; the environment wins over it.
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = with_files(settings_cls, env_settings.env_vars)
        return env_settings, init_settings


def config_path() -> Path:
    """Where settings are read from and written to: `SCOUT_CONFIG`, `./scout.toml` if there, else the user's own."""
    if named := os.environ.get("SCOUT_CONFIG"):
        return Path(named)
    here = Path(CONFIG_NAME)
    return here if here.exists() else Path(platformdirs.user_config_dir("scout", appauthor=False)) / CONFIG_NAME


def load() -> Settings:
    """Read the settings.

    Raises:
        ConfigError: the file is not TOML, or a key of it or of the environment does not fit.
    """
    path = config_path()
    values = _read_toml(path)
    try:
        return Settings(**{key: value for key, value in values.items() if key != "config"}, config=path)
    except ValidationError as err:
        raise ConfigError(explained(err, path, values)) from err
    except BadSecret as err:
        raise ConfigError(str(err)) from err
    except SettingsError as err:
        named = ", ".join(variables_without_json(Settings)) or f"environment: {err}"
        raise ConfigError(f"{named}: lists are written as JSON, such as '[\"cs.LG\"]'") from err


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}  # the defaults are a whole configuration; the command line says so where SCOUT_CONFIG named a file
    except (ValueError, RecursionError) as err:  # no UTF-8, no TOML, a number of thousands of digits, endless brackets
        raise ConfigError(f"{path} is not valid TOML: {err}") from err
    except OSError as err:
        raise ConfigError(f"{path} cannot be read: {err.strerror}") from err
