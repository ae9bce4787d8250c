"""A backfill as JSON (docs/schemas/backfill.schema.json) and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scout.cli.output import complain, line, say

if TYPE_CHECKING:
    from scout.backfill.folder import Folder, Plan
    from scout.backfill.run import Report
    from scout.store import Store


def facts(
    store: Store, plan: Plan, folder: Folder, report: Report, added: dict[str, int] | None, *, engine: str, top: int
) -> dict[str, Any]:
    from scout.backfill.folder import DECISIONS
    from scout.backfill.months import months

    tally, champion = report.tally, store.policies.champion(plan.reader)
    found = months(folder.rows(), top=top, met=_met(store, plan.reader))
    return {
        "reader": plan.reader,
        "policy": report.judge.version,
        "model": report.judge.asked.name if report.judge.asked else None,
        "engine": engine,
        "serves": champion is not None and champion.version == report.judge.version,
        "done": report.is_done,
        "file": str(folder.path / DECISIONS) if report.is_done else None,
        "folder": str(folder.path),
        "papers": sum(each.papers for each in found),
        "decided": report.decided,
        "kept": report.kept,
        "unrated": report.unrated,
        "lanes": {
            "read": sum(month.read for month in found),
            "unsure": sum(month.unsure for month in found),
            "skip": sum(month.papers - month.read - month.unsure for month in found),
        },
        "left_out": tally.left_out,
        "repeated": tally.repeated,
        "bad": tally.bad,
        "faults": [{"where": where, "says": says} for where, says in tally.faults],
        "added": added,
        "months": [
            {
                "month": month.month, "papers": month.papers, "read": month.read, "unsure": month.unsure, "met": month.met,
                "top": [
                    {name: row[name] for name in ("id", "title", "url", "published", "lane", "probability", "subject")}
                    for row in month.top
                ],
            }
            for month in found
        ],
    }  # fmt: skip


def _met(store: Store, reader: str) -> set[str]:
    """What the reader was shown, or has said a word on."""
    shown = {each.item_id for each in store.digests.impressions(reader, missed=True)}
    return shown | set(store.feedback.current(reader))


def tell(told: dict[str, Any]) -> None:
    for month in told["months"]:
        if month["top"]:
            say(
                f"\n{month['month']}: {month['papers']:,} papers, {month['read']:,} to read, {month['unsure']:,} unsure{_met_of(month)}"
            )
        for row in month["top"]:
            say(f"  {row['probability']:.2f} {row['subject']}: {line(row['title'])}")
            say(f"       {line(row['id'])}  {line(row['url'])}")
    lanes = ", ".join(f"{told['lanes'].get(lane, 0):,} {lane}" for lane in ("read", "unsure", "skip"))
    by = f"{told['policy']} and {line(told['model'])}" if told["model"] else told["policy"]
    say(f"\n{told['papers']:,} papers for {line(told['reader'])} by {by}: {lanes}")
    if told["kept"]:
        say(f"{told['decided']:,} were decided on now, {told['kept']:,} before.")
    for text in _asides(told):
        say(text)
    if told["file"]:
        say(f"All decisions: {told['file']}")
    if added := told["added"]:
        say(f"{added['items']:,} papers and {added['decisions']:,} decisions were put into the database.")
    if not told["serves"]:
        complain(f"{told['policy']} decided, and no longer serves; --fresh decides anew")


def _met_of(month: dict[str, Any]) -> str:
    return f", {month['met']:,} of them not new to you" if month["met"] else ""


def _asides(told: dict[str, Any]) -> list[str]:
    """What became of records that have no decision, or not the one that was asked for."""
    said = []
    if told["bad"]:
        said.append(f"{told['bad']:,} records are no papers and were passed over:")
        said += [f"  {line(fault['where'])}: {line(fault['says'])}" for fault in told["faults"]]
        said += ["  …"] * (told["bad"] > len(told["faults"]))
    if told["repeated"]:
        said.append(f"{told['repeated']:,} records repeat a paper; its first one counts.")
    if told["left_out"]:
        said.append(f"{told['left_out']:,} papers are of other days or categories.")
    if told["unrated"]:
        said.append(f"The model gave no rating of {told['unrated']:,} papers; the embedded policy's decision stands.")
    return said
