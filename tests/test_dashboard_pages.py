"""The other pages under AppTest: filled, empty, and what they change."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from dashboard_app import database, filled, opened, rows, shown, thumb, words
from dashboard_store import DAYS, READER

from dashboard import data
from dashboard.charts import AgreementDay
from scout.clock import now
from scout.config import config_path
from scout.items import Point
from scout.store import Store
from scout.store.jobs import JobRow, JobState
from scout.store.readings import Reading
from scout.store.summaries import text_hash

PAGES = ("digest", "search", "saved", "sources", "subjects", "readers", "runs", "item", "onboarding")


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_TODAY", DAYS[2].isoformat())


def jobs() -> list[JobRow]:
    with Store(database()) as store:
        return store.jobs.active()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_database(page: str) -> None:
    assert shown(opened(page)).strip()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_tells_a_mistake_in_the_settings(page: str) -> None:
    filled()
    app = opened(page)
    config_path().write_text("this is = = no toml", encoding="utf-8")
    assert "The settings have a mistake" in shown(app.run())


# --- search


def test_search_finds_words_and_marks_them() -> None:
    filled()
    app = opened("search")
    app.text_input(key="search-text").set_value("browsing agents").run()
    page = shown(app)
    assert "<mark>Browsing</mark> <mark>agents</mark> fail politely" in page
    assert "Best matches, 1 to 1" in page.replace("\\", "")


def test_a_link_to_a_search_asks_it() -> None:
    filled()
    assert "Tokenizer-free models" in shown(opened("search", q="tokenizer"))


def test_search_without_a_match_says_what_would_find_more() -> None:
    filled()
    assert "Nothing found" in shown(opened("search", q="zeppelin"))


@pytest.mark.parametrize("typed", ['"', "NEAR(", "title:*", "a OR", "'; DROP TABLE items--", "\\", "((("])
def test_no_input_is_a_syntax_error(typed: str) -> None:
    filled()
    assert shown(opened("search", q=typed)).strip()


def test_filters_narrow_the_search() -> None:
    filled()
    app = opened("search", q="agents")
    app.selectbox[0].set_value("example-lab").run()
    page = shown(app)
    assert "What a year of shipping" in page
    assert "Browsing" not in page


def test_results_come_a_page_at_a_time_and_can_be_thumbed() -> None:
    filled(thumbs=False)
    app = opened("search")
    assert "1 to 20" in shown(app)
    app.button(key="search-next").click().run()
    assert "21 to 34" in shown(app)
    app.feedback(key="thumb-arxiv:2512.00110").set_value(0).run()
    assert thumb("arxiv:2512.00110") == "down"


# --- saved


def test_saved_items_are_kept_newest_first_until_let_go() -> None:
    filled(thumbs=False)
    assert "Nothing saved yet" in shown(opened("saved"))
    digest = opened()
    for number in ("00301", "00304"):
        digest.button(key=f"saved-arxiv:2512.{number}").click().run()
    app = opened("saved")
    page = shown(app)
    assert page.index("Agents that ask before they act") < page.index("Off-policy corrections")
    app.button(key="saved-arxiv:2512.00304").click().run()
    assert "Agents that ask" not in shown(opened("saved"))


# --- sources


def test_sources_show_their_health_worst_first() -> None:
    filled()
    page = shown(opened("sources"))
    assert page.index("Broken Lab") < page.index("Example Lab") < page.index("Quiet Notes")
    assert "too slow: no whole answer within 8 s" in page
    assert "1 in need of a look" in page


def test_a_source_is_paused_resumed_and_removed_here() -> None:
    filled()
    app = opened("sources")
    app.button(key="pause-example-lab").click().run()
    with Store(database()) as store:
        assert store.sources.find("example-lab").paused  # type: ignore[union-attr]
    app.button(key="resume-example-lab").click().run()
    app.button(key="remove-broken-lab").click().run()
    with Store(database()) as store:
        assert {row.id: row.paused for row in store.sources.all()} == {
            "arxiv": False, "example-lab": False, "hf-daily": False, "quiet": True,
        }  # fmt: skip
    assert "is not polled any more" in shown(app)
    app.button(key="undo-remove").click().run()
    assert "is not polled any more" not in shown(app)
    with Store(database()) as store:
        assert "broken-lab" in {row.id for row in store.sources.all()}


def test_what_scout_toml_switches_cannot_be_removed_here() -> None:
    filled()
    with pytest.raises(KeyError):
        opened("sources").button(key="remove-arxiv")


def test_adding_a_site_is_asked_of_the_worker() -> None:
    filled()
    app = opened("sources")
    app.text_input(key="source-url").set_value(" https://new.example.org/ ").run()
    next(button for button in app.button if button.label == "Add").click().run()
    assert [(job.kind, job.payload) for job in jobs()] == [("add-source", {"url": "https://new.example.org/"})]
    assert "New source" in shown(app)


def test_an_opml_file_is_handed_to_the_worker() -> None:
    filled()
    app = opened("sources")
    app.get("file_uploader")[0].upload("feeds.opml", b"<opml version='2.0'/>", "text/xml").run()
    app.button(key="source-import").click().run()
    assert [(job.kind, job.payload) for job in jobs()] == [("import-opml", {"text": "<opml version='2.0'/>"})]


def test_a_job_that_failed_says_why() -> None:
    filled()
    with Store(database()) as store:
        from scout.clock import now

        job = store.jobs.ask("add-source", {"url": "x"}, now())
        store.jobs.take(now())
        store.jobs.finish(job, now(), state=JobState.FAILED, message="no feed at <b>x</b>")
    page = shown(opened("sources"))
    assert "no feed at &lt;b&gt;x&lt;/b&gt;" in page


def test_a_research_under_way_can_be_stopped() -> None:
    filled()
    with Store(database()) as store:
        from scout.clock import now

        id = store.jobs.ask("research", {"item": "arxiv:2512.00101"}, now())
        store.jobs.take(now())
    app = opened("sources")
    app.button(key=f"stop-{id}").click().run()
    with Store(database()) as store:
        assert store.jobs.is_to_stop(id)
    assert app.button(key=f"stop-{id}").disabled


# --- item


def test_an_item_shows_everything_known_of_it() -> None:
    filled()
    app = opened("item", item="arxiv:2512.00101")
    page = shown(app)
    for told in (
        "Reward models disagree most", "doi:10.48550/arxiv.2512.00101", "42 upvotes", "12 pages", "<small>6</small>A second cohort",
        "very likely, 93%", "you said: thumb up", "shown at place 2, to read", "<ins>", "Version 1, replaced", "p &lt; 0.01",
    ):  # fmt: skip
        assert told in page, told
    assert len(app.get("vega_lite_chart")) == 1


def test_an_item_says_what_a_model_found_new_and_why_it_matters_of_its_present_text() -> None:
    filled()
    with Store(database()) as store:
        item = store.items.get("arxiv:2512.00101")
        assert item is not None
        reading = Reading(
            item_id=item.id, reader="me", model="small<b>", policy="llm-1:small:0", outcome="summarized", embedded=0.5,
            new=Point("Raters disagree <i>most</i>.", (2,)), why_it_matters=Point("You train reward models.", (1,)),
            text_hash=text_hash(item),
        )  # fmt: skip
        store.readings.write(reading, now())
        page = shown(opened("item", item=item.id))
        for told in (
            "What is new",
            "Raters disagree &lt;i&gt;most",
            "Why it matters to you",
            "You train reward models.",
        ):
            assert told in page, told
        store.readings.write(replace(reading, text_hash="of an older text"), now())
    assert "You train reward models." not in shown(opened("item", item=item.id))


@pytest.mark.parametrize("ref", ["2512.00101", "https://arxiv.org/abs/2512.00101v2", "doi:10.48550/arxiv.2512.00101"])
def test_an_item_is_found_by_whatever_names_it(ref: str) -> None:
    filled()
    assert "Reward models disagree most" in shown(opened("item", item=ref))


@pytest.mark.parametrize("ref", ["arxiv:0000.00000", "", "<script>alert(1)</script>", "x" * 5_000])
def test_an_item_that_does_not_exist_is_a_message(ref: str) -> None:
    filled()
    page = shown(opened("item", item=ref))
    assert "No such item" in page
    assert "<script>" not in page


# --- runs


def test_runs_show_how_they_ended_with_their_stages_failures_and_log() -> None:
    filled()
    with Store(database()) as store:
        run = store.runs.listing(limit=1)[0].id
    lines = [
        {
            "at": "2025-12-03T06:00:01.000+00:00",
            "level": "info",
            "event": "polled",
            "run": run,
            "source": "<b>arxiv</b>",
        },
        {"at": "2025-12-03T06:00:02.000+00:00", "level": "info", "event": "elsewhere", "run": "another"},
    ]
    log = Path(database()).with_name("log.jsonl")
    log.write_text("\n".join(map(json.dumps, lines)) + "\nhalf a li", encoding="utf-8")
    app = opened("runs")
    page = shown(app)
    for told in ("12 new items", "done", "too-slow: no whole answer", "polled", "&lt;b&gt;arxiv&lt;/b&gt;"):
        assert told in page, told
    assert "elsewhere" not in page
    assert len(app.get("vega_lite_chart")) == 1


def test_a_run_that_never_ended_is_told_as_that() -> None:
    filled()
    with Store(database()) as store:
        from scout.clock import now

        store.runs.start("run", now())
    assert "running, or killed" in shown(opened("runs"))


# --- readers


def test_readers_show_what_was_learned_and_offer_everything_said() -> None:
    filled()
    app = opened("readers")
    page = shown(app)
    assert "Agreement" in [metric.label for metric in app.metric]
    assert "thumb down" in page
    assert len(app.get("vega_lite_chart")) == 3
    assert [button.label for button in app.get("download_button")] == ["JSON", "CSV"]


def test_a_share_that_was_counted_may_be_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "agreement", lambda store, reader: [AgreementDay(DAYS[0], 4, 4)])
    filled()
    assert {metric.label: metric.value for metric in opened("readers").metric}["Agreement"] == "100%"
    assert '<div class="sc-figure">100%</div>' in shown(opened("digest"))


def test_a_new_reader_is_made_and_reads_at_once() -> None:
    filled()
    app = opened("readers")
    app.text_input(key="reader-new").set_value("  Zoë \u202e").run()
    next(button for button in app.button if button.label == "Create").click().run()
    assert app.selectbox(key="reader-choice").value == "Zoë"
    assert "Nothing learned yet" in shown(app)
    assert app.query_params["reader"] in ("Zoë", ["Zoë"])


# --- subjects


def test_a_subject_is_edited_in_scout_toml() -> None:
    filled()
    app = opened("subjects")
    app.text_input(key="agents-name").set_value("Agents, and [more](x)")
    app.text_area(key="agents-keywords").set_value("agent, tool use,\nbrowser")
    next(button for button in app.button if button.label == "Save" and "agents" in (button.form_id or "")).click().run()
    written = tomllib.loads(config_path().read_text(encoding="utf-8"))["subjects"]
    agents = next(subject for subject in written if subject["slug"] == "agents")
    assert (agents["name"], agents["keywords"]) == ("Agents, and [more](x)", ["agent", "tool use", "browser"])
    assert "is saved" in shown(app)


def test_a_subject_is_added_and_removed() -> None:
    filled()
    app = opened("subjects")
    app.text_input(key="new-name").set_value("Protein folding")
    next(button for button in app.button if button.label == "Add").click().run()
    slugs = [subject["slug"] for subject in tomllib.loads(config_path().read_text(encoding="utf-8"))["subjects"]]
    assert slugs[-1] == "protein-folding"
    app.button(key="remove-robotics").click().run()
    slugs = [subject["slug"] for subject in tomllib.loads(config_path().read_text(encoding="utf-8"))["subjects"]]
    assert "robotics" not in slugs
    app.button(key="undo-remove").click().run()
    back = [subject["slug"] for subject in tomllib.loads(config_path().read_text(encoding="utf-8"))["subjects"]]
    assert "robotics" in back
    assert back[-1] == "protein-folding"


def test_a_subject_without_a_name_is_refused_with_a_reason() -> None:
    filled()
    app = opened("subjects")
    next(button for button in app.button if button.label == "Add").click().run()
    assert list(app.error), "nothing was said"
    assert not config_path().exists()


def test_following_is_each_readers_own() -> None:
    filled()
    app = opened("subjects")
    app.button_group(key="follow").set_value(["agents", "evaluation"]).run()
    with Store(database()) as store:
        assert store.readers.get(READER).subjects == ("agents", "evaluation")  # type: ignore[union-attr]
    assert opened("subjects").button_group(key="follow").value == ["agents", "evaluation"]


# --- welcome


def test_the_first_visit_asks_two_questions_and_begins_the_first_run() -> None:
    app = opened()
    assert "Welcome to scout" in shown(app)
    app.button_group(key="welcome-subjects").set_value(["agents"])
    app.text_area(key="welcome-papers").set_value("2501.12948\nnot a paper at all").run()
    assert "1 paper recognised" in shown(app)
    assert "not a paper at all" in shown(app)
    app.button(key="welcome-done").click().run()
    with Store(database()) as store:
        row = store.readers.get(READER)
        assert row is not None
        assert (row.subjects, row.onboarded) == (("agents",), True)
    assert [job.kind for job in jobs()] == ["onboard", "run"]
    assert jobs()[0].payload["reader"] == READER


def test_the_welcome_can_be_skipped() -> None:
    app = opened()
    app.button(key="welcome-skip").click().run()
    assert "No digest yet" in shown(app)
    assert "No digest yet" in shown(opened())
    assert (jobs(), rows(), words()) == ([], 0, [])
