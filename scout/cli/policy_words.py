"""Policies, challenges and estimates as data and as words, for `scout policy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scout.cli.output import ago, stamp

if TYPE_CHECKING:
    from scout.store import Store
    from scout.store.policies import PolicyRow
    from scout.store.promotions import Challenge, Promotion

WORTH_HEAD = ("policy", "slots", "IPS", "SNIPS", "doubly robust", "more than shown", "worth as evidence")
AS_SHOWN = "as shown"


def recipes(store: Store, reader: str) -> list[dict[str, Any]]:
    """Every recipe, and how it stands with this reader."""
    from scout.policies import recipe_of
    from scout.triage.recipes import DEFAULT, RECIPES

    champion = store.policies.champion(reader)
    serving = recipe_of(champion) if champion else None
    found = []
    for name in RECIPES:
        last = next(iter(store.promotions.challenges(reader, challenger=name, limit=1)), None)
        found.append(
            {
                "recipe": name, "reader": reader, "serves": name == serving, "default": name == DEFAULT,
                "version": champion.version if champion and name == serving else None,
                "last_challenge": last and challenge_facts(last),
            }
        )  # fmt: skip
    return found


def recipe_row(fact: Mapping[str, Any]) -> tuple[str, str, str]:
    stands = [
        f"serves {fact['reader']} ({fact['version']})" if fact["serves"] else "",
        "default" if fact["default"] else "",
    ]
    last = fact["last_challenge"]
    if last:
        told = f"{'passed' if last['passed'] else 'not passed'}: {last['evidence']['reason']}"
    elif fact["default"] and not fact["serves"] and fact["reader"]:
        told = "none yet; the next run lets it challenge"
    else:
        told = "none"
    return fact["recipe"], ", ".join(filter(None, stands)) or "available", told


def versions(store: Store, reader: str) -> list[dict[str, Any]]:
    """What was fitted for this reader, the newest first."""
    reigns: dict[str, list[Any]] = {}
    for reign in store.policies.reigns(reader):
        reigns.setdefault(reign.version, []).append({"since": reign.at, "reason": reign.reason})
    return [
        {
            "version": row.version, "recipe": row.recipe, "made_at": row.made_at, "thumbs": row.facts.get("thumbs"),
            "reigns": reigns.get(row.version, []),
        }
        for row in store.policies.listing(reader)
    ]  # fmt: skip


def version_row(fact: Mapping[str, Any]) -> tuple[str, str, str, str]:
    from scout.clock import now

    served = ", ".join(f"{reign['reason']} {ago(reign['since'], now())}" for reign in fact["reigns"])
    thumbs = "" if fact["thumbs"] is None else str(fact["thumbs"])
    return fact["version"], ago(fact["made_at"], now()), thumbs, served


def whole(store: Store, row: PolicyRow) -> dict[str, Any]:
    """All there is to tell of a version."""
    champion = store.policies.champion(row.reader)
    return {
        "version": row.version, "recipe": row.recipe, "reader": row.reader, "made_at": row.made_at,
        "serves": champion is not None and champion.version == row.version,
        "reigns": [
            {"since": reign.at, "reason": reign.reason}
            for reign in store.policies.reigns(row.reader)
            if reign.version == row.version
        ],
        "decisions": store.policies.decided(row.version),
        "promotions": [
            promotion_facts(each)
            for each in store.promotions.listing(row.reader)
            if row.version in (each.version, each.from_version)
        ],
        "facts": dict(row.facts),
    }  # fmt: skip


def shown(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    fit = facts["facts"]
    lines = [
        ("version", facts["version"] + (", serves now" if facts["serves"] else "")),
        ("recipe", facts["recipe"]),
        ("reader", facts["reader"]),
        ("fitted", f"{stamp(facts['made_at'])} on {fit.get('thumbs', 0)} thumbs ({fit.get('positives', 0)} up)"),
        ("decided", f"{facts['decisions']} items"),
    ]
    lines += [("served", f"from {stamp(reign['since'])}: {reign['reason']}") for reign in facts["reigns"]]
    if (held := fit.get("held_out")) and held.get("agreement") is not None:
        lines.append(("foreseen", f"{held['agreement']:.0%} of {held['n']} later thumbs"))
    if cut := fit.get("thresholds"):
        lines.append(("thresholds", f"read from {cut['read']:.3f}, unsure from {cut['unsure']:.3f}"))
    lines += [(each["action"], _promotion_line(each)) for each in facts["promotions"]]
    return lines


def _promotion_line(each: Mapping[str, Any]) -> str:
    told = f"{stamp(each['at'])}: {each['from_recipe']} → {each['recipe']}"
    reason = each["evidence"].get("reason") or ""
    if each["forced"]:
        reason = "forced, without a passed gate"
    return ", ".join(filter(None, (told, reason, each["why"])))


def promotion_facts(each: Promotion) -> dict[str, Any]:
    return {
        "id": each.id, "reader": each.reader, "action": str(each.action), "recipe": each.recipe, "version": each.version,
        "from_recipe": each.from_recipe, "from_version": each.from_version, "at": each.at, "by": each.by, "why": each.why,
        "forced": each.forced, "evidence": dict(each.evidence), "undoes": each.undoes,
    }  # fmt: skip


def challenge_facts(each: Challenge) -> dict[str, Any]:
    return {
        "id": each.id, "reader": each.reader, "champion": each.champion, "challenger": each.challenger, "at": each.at,
        "by": each.by, "passed": each.passed, "evidence": dict(each.evidence),
    }  # fmt: skip


def challenge_lines(each: Challenge) -> list[str]:
    found = each.evidence
    lines = [
        f"{each.challenger} against {each.champion} for {each.reader}: {'passed' if each.passed else 'not passed'}",
        f"{found['reason']}.",
        f"{found['thumbs']} held-out thumbs ({found['ups']} up) on {found['days']} days.",
    ]
    for name, title in (("log_loss", "Log-loss"), ("auc", "AUC")):
        if measure := found.get(name):
            lines.append(
                f"{title}: {measure['champion']:.3f} → {measure['challenger']:.3f}, a gain of {measure['better']:+.3f} "
                f"({_interval(measure)}), p {measure['p']:.2g}"
            )
    if found.get("needed"):
        lines.append(f"A difference of this size would show with about {found['needed']} held-out thumbs.")
    if worth := found.get("off_policy"):
        more = worth[each.challenger]["more"].get("dr")
        if more:
            lines.append(f"Thumbs up per shown slot: {more['value']:+.3f} ({_interval(more)}), doubly robust.")
        lines += warnings(worth, [each.challenger])
    return [*lines, *found.get("notes", ())]


def why_not(store: Store, reader: str, recipe: str) -> str:
    """Why a recipe may not serve, and what to do."""
    from scout.clock import now

    last = next(iter(store.promotions.challenges(reader, challenger=recipe, limit=1)), None)
    if last is None:
        return f"it has not challenged the champion yet; `scout policy challenge {recipe}`"
    if not last.passed:
        return (
            f"{last.evidence['reason']} (`scout policy challenge {recipe}` tries again; --force --why TEXT overrules)"
        )
    return f"it did {ago(last.at, now())}, too long ago or against another champion; `scout policy challenge {recipe}`"


def worth_rows(facts: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, ...]]:
    rows = []
    for name in (AS_SHOWN, *names):
        found = facts["as_shown"] if name == AS_SHOWN else facts[name]
        more = found.get("more", {}).get("dr")
        rows.append(
            (
                name, f"{found['slots']:.0f}", *(_estimate(found[kind]) for kind in ("ips", "snips", "dr")),
                f"{more['value']:+.3f} ({_interval(more)})" if more else "", f"{found['effective']:.0f}",
            )
        )  # fmt: skip
    return rows


def warnings(facts: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [f"{name}: {warning}" for name in names for warning in facts[name]["warnings"]]


def _estimate(found: Mapping[str, float | None] | None) -> str:
    return f"{found['value']:.3f} ({_interval(found)})" if found else "unknown"


def _interval(found: Mapping[str, float | None]) -> str:
    low, high = found["low"], found["high"]
    return "no interval" if low is None or high is None else f"{low:.3f} to {high:.3f}"
