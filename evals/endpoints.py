"""Where a model is asked: the configured endpoint, one named on the command line, or the rule of scout.toml that a release fits."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from pydantic import SecretStr

from evals.summary import FREE, Prices
from scout.config import Model, Settings
from scout.config.eval import EvalEndpoint


def rule_for(settings: Settings, release: str) -> EvalEndpoint | None:
    """The first rule that a release's name fits, whatever characters are in it."""
    for rule in settings.eval.endpoint:
        if any(fnmatchcase(release, pattern) for pattern in rule.match):
            return rule
    return None


def at(settings: Settings, rule: EvalEndpoint, release: str) -> Model:
    """How the release is asked at a rule's endpoint."""
    named = rule.name.replace("{id}", release).replace("{name}", release.rpartition("/")[2])
    return _model(settings, rule.base_url, named, _key(rule))


def chosen(settings: Settings, *, base_url: str | None, name: str | None) -> Model:
    """The endpoint of the command line, else the configured one. A key goes to the endpoint that it was set for, no other."""
    if base_url is None or base_url.rstrip("/") in settings.model.base_urls:
        urls = settings.model.base_urls if base_url is None else (base_url.rstrip("/"),)
        update = {"base_urls": urls, "concurrency": settings.eval.concurrency}
        return settings.model.model_copy(update={**update, **({"name": name} if name is not None else {})})
    rule = next((rule for rule in settings.eval.endpoint if rule.base_url == base_url.rstrip("/")), None)
    return _model(settings, base_url, name or "", _key(rule) if rule else "")


def prices(settings: Settings, base_url: str) -> Prices:
    """What asking there costs; nothing where no rule says."""
    for rule in settings.eval.endpoint:
        if rule.base_url == base_url.rstrip("/"):
            return Prices(prompt=rule.price_prompt, completion=rule.price_completion, hour=rule.price_hour)
    return FREE


def _key(rule: EvalEndpoint) -> str:
    return os.environ.get(rule.api_key_env, "") if rule.api_key_env else ""


def _model(settings: Settings, base_url: str, name: str, key: str) -> Model:
    return Model(
        base_urls=(base_url,), name=name, api_key=SecretStr(key), concurrency=settings.eval.concurrency,
        timeout_seconds=settings.model.timeout_seconds,
    )  # fmt: skip
