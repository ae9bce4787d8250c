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
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from scout.config_access import Access
from scout.config_errors import explained, variables_without_json
from scout.config_eval import Eval
from scout.config_keeping import Keeping
from scout.config_mail import Mail
from scout.config_mcp import Mcp
from scout.config_notify import Notify
from scout.config_secrets import BadSecret, with_files
from scout.config_train import Train
from scout.config_types import HttpUrl, Section
from scout.items import OTHER, Subject
from scout.subjects import DEFAULT_SUBJECTS

CONFIG_NAME = "scout.toml"


class ConfigError(Exception):
    """Settings that cannot be used; the message names the key and says what to do."""


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as err:
        raise ValueError(f"no time zone is called {value!r}; use a name such as Europe/Paris") from err
    return value


def _folder(value: Path) -> Path:
    try:
        return value.expanduser()
    except RuntimeError as err:
        raise ValueError(f"no home folder is known for {str(value)!r}; write it out") from err


def _not_blank(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty; leave it out for the default")
    return value


TimeZone = Annotated[str, AfterValidator(_timezone)]
Folder = Annotated[Path, BeforeValidator(_not_blank), AfterValidator(_folder)]
Name = Annotated[str, BeforeValidator(_not_blank), AfterValidator(str.strip)]
Category = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*(\.[A-Za-z]+(-[A-Za-z]+)*)?$")]
"""Such as cs.LG, cond-mat.dis-nn or hep-th."""


class Arxiv(Section):
    enabled: bool = True
    categories: tuple[Category, ...] = Field(("cs.LG", "cs.CL", "cs.AI", "cs.CV"), min_length=1)
    rss_url: HttpUrl = "https://rss.arxiv.org/rss"
    api_url: HttpUrl = "https://export.arxiv.org/api/query"
    site_url: HttpUrl = "https://arxiv.org"
    first_days: int = Field(3, ge=0, le=30)
    """Days fetched through the API when the very first poll meets a day without announcement."""


class HuggingFace(Section):
    enabled: bool = True
    url: HttpUrl = "https://huggingface.co"
    organizations: tuple[str, ...] = (
        "deepseek-ai", "Qwen", "MiniMaxAI", "moonshotai", "zai-org", "openai", "meta-llama", "mistralai", "google",
        "microsoft", "nvidia", "allenai", "HuggingFaceTB", "ibm-granite", "XiaomiMiMo", "baidu", "tencent", "ByteDance-Seed",
    )  # fmt: skip


class GitHub(Section):
    url: HttpUrl = "https://github.com"


class Sources(Section):
    defaults: bool = True
    """Whether the shipped list of lab blogs is polled."""
    interval_minutes: int = Field(60, ge=1)
    """The shortest time between two polls of one source, when `scout ingest --due` asks what is due."""


class Net(Section):
    allow_loopback: bool = False
    """Fetch addresses on this machine. For tests and the replayed world; off for a reason."""
    allow_hosts: tuple[str, ...] = ()
    """Host names whose addresses are not vetted: a feed inside your own network."""
    contact: str = "https://github.com/scout-reader/scout"
    """Named in the User-Agent, so that a publisher can reach whoever polls."""
    deadline_seconds: float = Field(8.0, gt=0)
    max_bytes: int = Field(5_000_000, gt=0)
    parse_seconds: float = Field(5.0, gt=0)
    parse_megabytes: int = Field(400, gt=0)
    workers: int = Field(8, ge=1, le=64)
    per_host: int = Field(2, ge=1)


def _recall(value: float) -> float:
    if value and not 0.5 <= value <= 0.99:
        raise ValueError("must be 0 for no promise, or from 0.5 to 0.99")
    return value


Recall = Annotated[float, AfterValidator(_recall)]


class Triage(Section):
    read_per_day: int = Field(20, ge=1)
    """About how many items a day the read lane should hold."""
    unsure_per_day: int = Field(10, ge=0)
    recall: Recall = 0.0
    """The share of what you would thumb up that the lanes are to hold, promised once there are thumbs enough for it; 0
    asks for no promise."""
    recall_of: dict[str, Recall] = Field(default_factory=dict)
    """The same for single readers, by name."""
    allow: Rules = Field(default_factory=lambda: Rules())
    block: Rules = Field(default_factory=lambda: Rules())


class Rules(Section):
    words: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class DigestSettings(Section):
    timezone: TimeZone = "UTC"
    max_age_days: int = Field(7, ge=1)
    per_subject: int = Field(8, ge=1)
    unsure: int = Field(8, ge=0)
    asks: int = Field(3, ge=0)
    """Shown items that are marked because a thumb on them would teach most."""
    explore: int = Field(2, ge=0)
    """Slots given by chance, their probability logged, so that the policy can be judged on what it would not show."""


class SubjectSettings(Section):
    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    description: str = ""
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()

    def subject(self) -> Subject:
        return Subject(self.slug, self.name, self.description, self.keywords, self.categories, self.liked)


def _unique_slugs(value: tuple[SubjectSettings, ...]) -> tuple[SubjectSettings, ...]:
    seen: set[str] = set()
    for entry in value:
        if entry.slug in seen or entry.slug == OTHER:
            raise ValueError(f"the slug {entry.slug!r} is {'reserved' if entry.slug == OTHER else 'used twice'}")
        seen.add(entry.slug)
    return value


class Model(Section):
    """The open model that reads on: any OpenAI-compatible endpoint, such as one that `scout serve` started."""

    base_urls: tuple[HttpUrl, ...] = ()
    """Endpoints such as `http://127.0.0.1:8000/v1`; several are balanced. Without any, the embedded policy works alone."""
    name: str = ""
    """As served; empty takes the first that the endpoint lists."""
    api_key: SecretStr = SecretStr("")
    concurrency: int = Field(16, ge=1)
    timeout_seconds: float = Field(120.0, gt=0)
    items_per_run: int = Field(40, ge=0)
    tokens_per_run: int = Field(400_000, ge=0)
    minutes_per_run: float = Field(30.0, ge=0)
    entailment: bool = False
    """Ask the model of each point whether its sentences say so."""


class Embedding(Section):
    """A model that makes vectors of items, for recipes that look at them: vLLM's pooling routes, or what speaks like them."""

    base_urls: tuple[HttpUrl, ...] = ()
    """Endpoints such as `http://127.0.0.1:8001/v1`; without any, no vectors are made."""
    name: str = ""
    """As served; empty takes the first that the endpoint lists."""
    api_key: SecretStr = SecretStr("")
    concurrency: int = Field(4, ge=1)
    timeout_seconds: float = Field(120.0, gt=0)
    batch: int = Field(16, ge=1, le=512)
    """Items sent in one request."""
    tokens: int = Field(512, ge=16)
    """Of an item, so many are looked at."""
    items_per_run: int = Field(3000, ge=0)

    def endpoint(self) -> Model:
        """The same as the client of any served model takes it."""
        return Model(
            base_urls=self.base_urls, name=self.name, api_key=self.api_key, concurrency=self.concurrency,
            timeout_seconds=self.timeout_seconds,
        )  # fmt: skip


class Research(Section):
    """Limits of one research of one item."""

    rounds: int = Field(24, ge=2)
    tokens: int = Field(200_000, ge=1000)
    minutes: float = Field(15.0, gt=0)
    context_tokens: int = Field(24_000, ge=1000)
    """What the model is shown at once; older tool results are dropped first, notes never."""
    parallel: int = Field(2, ge=1)


class Dashboard(Section):
    address: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)


Triage.model_rebuild()


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
    subjects: Annotated[tuple[SubjectSettings, ...], AfterValidator(_unique_slugs)] = tuple(
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
