"""The policy of a served model for one reader: put together from what is stored, and written into the registry of policies.

Who serves, and how the embedded policy below it is fitted, is `policies`'.
"""

from __future__ import annotations

from dataclasses import asdict

from scout import policies
from scout.clock import now
from scout.config import Settings
from scout.prompts import prompt
from scout.readers import profile
from scout.store import Store
from scout.store.policies import PolicyRow
from scout.triage import llm, prompting
from scout.triage.lanes import Thresholds

PROMPTS = ("route", "rate", "summarize", "entail", "repair")


def serving(store: Store, settings: Settings, reader: str, model: str) -> llm.LlmPolicy:
    """`model`'s policy over the embedded one that serves; its version can be looked up wherever a decision names it."""
    embedded = policies.serving(store, settings, reader)
    policy = llm.LlmPolicy(
        embedded=embedded,
        rubric=prompting.rubric(profile(store, settings, reader)),
        model=model,
        thresholds=_thresholds(store, reader),
        weight=llm.weigh([llm.Rated(*row) for row in store.readings.rated(reader, model)]),
    )
    store.policies.save(_row(policy, reader))
    return policy


def _row(policy: llm.LlmPolicy, reader: str) -> PolicyRow:
    """What the version stands for. It has no weights of its own: nothing is restored from it."""
    prompts = {name: f"{prompt(name).version} {prompt(name).hash}" for name in PROMPTS}
    return PolicyRow(
        version=policy.version, reader=reader, recipe=policy.recipe, made_at=now(), training=policy.embedded.version,
        facts={
            "model": policy.model, "rubric": policy.rubric.hash, "prompts": prompts,
            "base": {"recipe": policy.embedded.recipe, "version": policy.embedded.version},
            "weight": asdict(policy.weight), "thresholds": asdict(policy.thresholds),
        },
    )  # fmt: skip


def _thresholds(store: Store, reader: str) -> Thresholds:
    """Those of the policy that serves."""
    champion = store.policies.champion(reader)
    assert champion is not None, "policies.serving has crowned one"
    told = champion.facts["thresholds"]
    return Thresholds(told["read"], told["unsure"])
