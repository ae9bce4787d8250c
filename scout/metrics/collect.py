"""What Prometheus is told: each metric with its name, its words and where its value comes from. Serving them is `serve`'s.

No reader, item or source is named: a page of metrics is often open to more people than the digest is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scout import __version__
from scout.clock import now
from scout.config import Settings
from scout.items import Health
from scout.store import Store, StoreError
from scout.store.figures import Figures, figures
from scout.store.runs import RunRow
from scout.store.sources import health

RECENT_RUNS = 50


class ScoutCollector(Collector):
    """Reads the database at each scrape, through a connection of its own that cannot write."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the database may not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield _labelled("scout_build_info", "The scout that answers.", "version", {__version__: 1})
        try:
            with Store(self.settings.database, create=False, read_only=True, busy_seconds=2) as store:
                found = list(_all(store, now()))
        except StoreError:
            yield _gauge("scout_up", "Whether the database can be read.", 0)
            return
        yield _gauge("scout_up", "Whether the database can be read.", 1)
        yield from found


def _all(store: Store, at: datetime) -> Iterator[Metric]:
    told = figures(store, at)
    yield from _runs(store, told)
    yield from _work(store, told, at)
    feedback = CounterMetricFamily("scout_feedback", "What readers said and did not take back.", labels=["what"])
    for what, count in store.feedback.counts().items():
        feedback.add_metric([what.strip()], count)
    yield feedback
    yield from _grounding(store)
    sent = GaugeMetricFamily(
        "scout_deliveries", "Digests by way and by whether they were sent.", labels=["channel", "state"]
    )
    for channel, is_sent, count in store.deliveries.counts():
        sent.add_metric([channel, "sent" if is_sent else "unsent"], count)
    yield sent


def _runs(store: Store, told: Figures) -> Iterator[Metric]:
    runs = CounterMetricFamily("scout_runs", "Runs by kind and exit status.", labels=["kind", "code"])
    for (kind, code), count in sorted(told.runs.items()):
        runs.add_metric([kind, code], count)
    yield runs
    finished = [run for run in store.runs.listing(limit=RECENT_RUNS) if run.kind == "run" and run.finished]
    yield _moment("scout_run_success_timestamp_seconds", "When a daily run last ended with 0.",
                  next((run for run in finished if run.exit_code == 0), None))  # fmt: skip
    yield _moment("scout_run_timestamp_seconds", "When a daily run last ended.", next(iter(finished), None))
    stages: Counter[str] = Counter()
    if finished:
        last = finished[0]
        assert last.finished is not None
        yield _gauge("scout_run_exit_code", "How the last daily run ended.", last.exit_code or 0)
        yield _gauge("scout_run_seconds", "How long it took.", (last.finished - last.started).total_seconds())
        for stage in last.stages:
            stages[str(stage["name"]).split()[0]] += stage["seconds"]
    yield _labelled("scout_run_stage_seconds", "How long its stages took, over all readers.", "stage", stages)


def _work(store: Store, told: Figures, at: datetime) -> Iterator[Metric]:
    yield _gauge("scout_items", "Items that are stored.", told.items)
    yield _gauge("scout_items_new", "Items first seen in the last 24 hours.", told.items_day)
    states = Counter(str(health(row, at)) for row in store.sources.all())
    yield _labelled("scout_sources", "Sources by state.", "state", {str(each): states[str(each)] for each in Health})
    yield _labelled(
        "scout_jobs", "Jobs that pages asked for, by state.", "state", {"queued": 0, "running": 0} | dict(told.jobs)
    )
    yield _gauge("scout_model_waiting", "Items that a model is to read.", told.waiting)
    yield _gauge("scout_model_failed_items", "Items that a model gave no answer for.", told.failed_on)
    if told.read_seconds is not None:
        yield _gauge(
            "scout_model_seconds_per_item",
            "Of the newest run with a model: its seconds for each item read.",
            told.read_seconds,
        )
    yield _labelled("scout_decisions", "Decisions by lane.", "lane", store.decisions.counts())
    yield _gauge("scout_database_bytes", "How large the database is.", told.database_bytes)


def _grounding(store: Store) -> Iterator[Metric]:
    found = store.readings.grounding()
    if found is None or not found["points"]:
        return
    yield _gauge("scout_model_points", "Sentences that models wrote.", found["points"])
    yield _gauge("scout_grounding_ratio", "The share of them that their sources bear out.",
                 1 - found["dropped"] / found["points"])  # fmt: skip


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _moment(name: str, words: str, run: RunRow | None) -> Metric:
    made = GaugeMetricFamily(name, words)
    if run is not None and run.finished is not None:
        made.add_metric([], run.finished.timestamp())
    return made


def _labelled(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    made = GaugeMetricFamily(name, words, labels=[label])
    for key, value in sorted(values.items()):
        made.add_metric([key], value)
    return made
