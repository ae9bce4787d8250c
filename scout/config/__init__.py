"""Settings: `scout.toml`, then `SCOUT_*` from the environment, over the defaults written here and nowhere else.

A file a section; `settings` puts them together and reads them, `file` writes a `scout.toml`.
"""

from scout.config.keeping import Keeping
from scout.config.model import Embedding, Model, Research
from scout.config.polling import Arxiv, GitHub, HuggingFace, Net, Sources
from scout.config.settings import CONFIG_NAME, ConfigError, Dashboard, Settings, config_path, load
from scout.config.subjects import SubjectSettings
from scout.config.triage import DigestSettings, Rules, Triage

__all__ = [
    "CONFIG_NAME", "Arxiv", "ConfigError", "Dashboard", "DigestSettings", "Embedding", "GitHub", "HuggingFace", "Keeping", "Model",
    "Net", "Research", "Rules", "Settings", "Sources", "SubjectSettings", "Triage", "config_path", "load",
]  # fmt: skip
