"""What is polled, where it is, and with how much patience."""

from __future__ import annotations

from pydantic import Field

from scout.config.types import Category, HttpUrl, Section


class Arxiv(Section):
    enabled: bool = True
    categories: tuple[Category, ...] = Field(("cs.LG", "cs.CL", "cs.AI", "cs.CV"), min_length=1)
    rss_url: HttpUrl = "https://rss.arxiv.org/rss"
    api_url: HttpUrl = "https://export.arxiv.org/api/query"
    oai_url: HttpUrl = "https://oaipmh.arxiv.org/oai"
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
