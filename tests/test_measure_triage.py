"""Measuring triage on a small made-up archive: figures that must come out, and input that is odd."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from measure_samples import A_DAY, FIRST, TEST, about, archive

from evals.papers import Papers
from evals.peers import PEERS, Peer, Shelf, Task, _rows
from evals.triage import Setting, fitted, run, targets
from scout.items import Lane
from scout.triage import recipes
from scout.triage.policy import Thumbed

pytest.importorskip("sklearn")

OURS = recipes.DEFAULT


def measured(papers: Papers | None = None, picked=None, **chosen):
    papers = papers or archive()
    picked = about("agents", papers) if picked is None else frozenset(picked)
    asked = {"pick": "ada", "train_until": TEST, "policies": (OURS, "random")} | chosen
    return run(papers, picked, Setting(**asked))


@pytest.fixture(scope="module")
def everyone():
    """All policies on a reader who wants one topic of four."""
    return measured(policies=(OURS, *PEERS))


class TestAnEasyReader:
    def test_whoever_learns_ranks_the_topic_first(self, everyone):
        for name in (OURS, "tfidf-logistic", "tfidf-svm", "embedding", "keywords"):
            assert everyone.row(name).figures["auc"].value > 0.97, name
        assert 0.3 < everyone.row("random").figures["auc"].value < 0.7

    def test_what_it_rests_on_is_counted(self, everyone):
        told = everyone.to_dict()
        assert told["train"] == {"papers": 6 * A_DAY, "picks": 90, "thumbs": 6 * A_DAY, "up": 90}
        assert told["test"]["papers"] == 2 * A_DAY
        assert told["test"]["base_rate"] == 0.25
        assert (told["test"]["first_day"], told["test"]["last_day"]) == ("2025-11-09", "2025-11-10")

    def test_the_first_peer_named_is_who_others_are_compared_with(self, everyone):
        assert everyone.baseline == "tfidf-logistic"
        assert everyone.row("tfidf-logistic").figures["auc"].above is None
        chance = everyone.row("random").figures["auc"]
        assert chance.above_interval is not None
        assert chance.above_interval.high < 0

    def test_only_probabilities_are_judged_as_such(self, everyone):
        for row in everyone.to_dict()["policies"]:
            claims = row["policy"] in (OURS, "tfidf-logistic")
            assert all((row[figure] is not None) == claims for figure in ("ece", "brier_skill", "reliability"))

    def test_only_a_recipe_has_lanes_and_they_hold_every_paper(self, everyone):
        lanes = everyone.row(OURS).lanes
        assert sum(share.papers for share in lanes.values()) == 2 * A_DAY
        assert sum(share.picks for share in lanes.values()) == 30
        assert lanes[Lane.READ].picks > lanes[Lane.SKIP].picks
        assert everyone.row("tfidf-logistic").lanes is None

    def test_predictions_are_those_of_the_first_policy_a_line_a_test_paper(self, everyone):
        lines = [each.to_dict() for each in everyone.predictions]
        assert len({line["id"] for line in lines}) == len(lines) == 2 * A_DAY
        assert {line["day"] for line in lines} == {"2025-11-09", "2025-11-10"}
        assert all(0 < line["probability"] < 1 for line in lines)
        assert {line["lane"] for line in lines} <= set(Lane)

    def test_the_report_is_json_without_nan(self, everyone):
        told = json.loads(json.dumps(everyone.to_dict(), allow_nan=False))
        assert [row["policy"] for row in told["policies"]] == [row.name for row in everyone.rows]


def test_the_same_question_has_the_same_answer():
    first, again = (measured(labels=10, draws=2) for _ in range(2))
    assert [(row.name, row.figures) for row in first.rows] == [(row.name, row.figures) for row in again.rows]


def test_no_paper_of_a_test_day_and_no_pick_since_is_looked_at_for_learning():
    papers = archive()
    known = [item.id for item in papers.between(None, TEST).items]
    picked = about("agents", papers)
    turned = (picked & set(known)) | (about("vision", papers) - set(known))
    one, other = measured(papers, picked), measured(papers, turned)
    assert [each.score for each in one.predictions] == [each.score for each in other.predictions]


def test_a_shelf_is_filled_once_for_readers_of_the_same_papers(monkeypatch):
    import evals.peers as module

    papers, shelf, made = archive(), Shelf(), []
    real = module._vectorized
    monkeypatch.setattr(module, "_vectorized", lambda *asked: made.append(asked[1]) or real(*asked))
    for topic in ("agents", "vision"):
        asked = Setting(pick=topic, train_until=TEST, policies=("tfidf-logistic",))
        assert run(papers, about(topic, papers), asked, shelf=shelf).rows[0].figures["auc"].value > 0.97
    assert made == ["logistic"]


class TestFewThumbs:
    def test_so_many_are_drawn_half_of_them_up(self):
        report = measured(labels=12, draws=1)
        assert (report.counted.thumbs, report.counted.thumbs_up) == (12, 6)

    def test_where_there_are_fewer_picks_all_of_them_count(self):
        papers = archive()
        few = sorted(about("agents", papers.between(None, TEST)))[:2]
        report = measured(papers, [*few, *about("agents", papers.between(TEST, None))], labels=12, draws=1)
        assert (report.counted.thumbs, report.counted.thumbs_up) == (8, 2)

    def test_without_any_a_recipe_ranks_by_the_subjects(self):
        report = measured(labels=0)
        assert report.row(OURS).figures["auc"].value is not None
        assert "no thumb to learn from" in report.notes[0]


class TestAsShown:
    def test_thumbs_are_only_on_what_a_digest_showed(self):
        report = measured(as_shown=True, every=3)
        assert report.walk is not None
        assert [met.day for met in report.walk.days] == [FIRST + timedelta(days=n) for n in range(6)]
        assert report.counted.thumbs == sum(met.shown for met in report.walk.days) < 6 * A_DAY
        assert all(0 < met.shown <= met.papers for met in report.walk.days)
        assert report.counted.thumbs_up == sum(met.picks_shown for met in report.walk.days) > 0

    def test_only_a_recipe_has_a_digest(self):
        with pytest.raises(ValueError, match="add one to --policy"):
            measured(as_shown=True, policies=("random",))


class TestOddInput:
    def test_no_pick_among_the_tested(self):
        papers = archive()
        report = measured(papers, about("agents", papers.between(None, TEST)), policies=(OURS, *PEERS))
        told = report.to_dict()
        assert all(
            row[name]["value"] is None for row in told["policies"] for name in ("auc", "average_precision", "p_at_10")
        )
        assert any("No test paper was picked" in note for note in report.notes)
        json.dumps(told, allow_nan=False)

    @pytest.mark.parametrize("topics", [(), ("agents", "vision", "proteins", "finance")], ids=["nothing", "everything"])
    def test_one_class_only(self, topics):
        papers = archive(days=7, a_day=52)
        picked = frozenset().union(*(about(topic, papers) for topic in topics))
        report = measured(papers, picked, policies=(OURS, *PEERS))
        told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert {row["policy"] for row in told["policies"]} == {OURS, *PEERS}
        assert report.row(OURS).figures["auc"].value is None
        assert len(report.notes) >= 2

    def test_all_thumbs_and_all_tests_on_one_day(self):
        papers = archive(days=2)
        report = measured(papers, train_until=FIRST + timedelta(days=1))
        assert report.row(OURS).figures["auc"].value > 0.97
        figure = report.row(OURS).figures["auc"]
        assert figure.interval == (figure.value, figure.value)
        assert any("one test day" in note for note in report.notes)

    def test_papers_without_abstract_are_ranked_and_told(self):
        papers = archive()
        bare = tuple(replace(item, text="") if number % 3 == 0 else item for number, item in enumerate(papers.items))
        report = measured(Papers(bare, papers.days), policies=(OURS, "tfidf-logistic", "embedding"))
        assert len(report.predictions) == 2 * A_DAY
        assert report.row(OURS).figures["auc"].value > 0.9
        assert any("160 papers have no abstract" in note for note in report.notes)

    def test_papers_without_any_word(self):
        papers = archive(days=7, a_day=20)
        blank = tuple(replace(item, title="", text="", authors=(), categories=()) for item in papers.items)
        report = measured(Papers(blank, papers.days), picked=about("agents", papers), policies=(OURS, *PEERS))
        told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert {row["policy"] for row in told["policies"]} == {OURS, *PEERS}

    def test_a_span_without_papers_says_which_there_are(self):
        with pytest.raises(ValueError, match=r"nothing to test on: the papers are from 2025-11-03 to 2025-11-10"):
            measured(train_until=date(2026, 1, 1))
        with pytest.raises(ValueError, match="nothing to learn from"):
            measured(train_until=FIRST)

    def test_a_reader_who_turns_is_followed(self):
        """Four days of one topic, then another: the newer word counts for more than nothing."""
        papers = archive(days=12)
        turn = FIRST + timedelta(days=4)
        picked = about("agents", papers.between(None, turn)) | about("vision", papers.between(turn, None))
        report = measured(papers, picked, train_until=FIRST + timedelta(days=10))
        assert report.row(OURS).figures["auc"].value > 0.6
        assert not any("turned" in note for note in report.notes)

    def test_a_reader_who_turns_when_the_test_begins_is_told_of(self):
        papers = archive()
        picked = about("agents", papers.between(None, TEST)) | about("finance", papers.between(TEST, None))
        report = measured(papers, picked, policies=(OURS, "random"))
        [note] = [note for note in report.notes if "turned" in note]
        assert note.startswith(f"{OURS} ranked the test papers no better than chance (AUC 0.")


class TestThumbsOfAPeer:
    def task(self, *said: tuple[int, bool, int]) -> Task:
        papers = archive(days=2)
        seen = papers.between(None, FIRST + timedelta(days=1))
        start = seen.items[0].published
        assert start is not None
        thumbs = [Thumbed(seen.items[n], up, (), start + timedelta(seconds=at)) for n, up, at in said]
        return Task(seen, tuple(thumbs), papers.between(FIRST + timedelta(days=1), None))

    def test_of_contradictory_thumbs_the_newest_counts_and_a_repeated_one_counts_once(self):
        rows, ups = _rows(self.task((3, True, 9), (3, False, 5), (4, True, 1), (4, True, 2), (4, False, 3)))
        assert dict(zip(rows.tolist(), ups.tolist(), strict=True)) == {3: True, 4: False}

    @pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
    @pytest.mark.parametrize("said", [(), ((0, True, 0),), ((1, False, 0),)], ids=["none", "one-up", "one-down"])
    def test_whoever_has_too_few_still_scores(self, peer: Peer, said):
        scores = peer.score(self.task(*said), Shelf())
        assert scores.shape == (A_DAY,)
        assert np.isfinite(scores).all()


class TestThumbsOfAPolicy:
    """What a recipe makes of thumbs that no careful reader gives."""

    def auc(self, thumbs, wanted: str) -> float:
        from evals.ranking import auc

        papers = archive()
        seen, test = papers.between(None, TEST), papers.between(TEST, None)
        policy = fitted(OURS, "ada", seen, thumbs)
        scores = np.array([decision.probability for decision in policy.decide(test.items)])
        assert np.isfinite(scores).all()
        found = auc(scores, np.array([item.id in about(wanted, test) for item in test.items]))
        assert found is not None
        return found

    def thumbs(self, wanted: str, *, later: float = 0):
        seen = archive().between(None, TEST)
        return [
            Thumbed(item, item.id in about(wanted, seen), (), item.published + timedelta(hours=later))
            for item in seen.items
        ]

    def test_a_script_that_thumbs_a_thousand_a_minute_is_one_word_an_item(self):
        once = self.thumbs("agents")
        often = [replace(thumb, at=thumb.at + timedelta(milliseconds=60 * n)) for n in range(3) for thumb in once]
        assert self.auc(often, "agents") == pytest.approx(self.auc(once, "agents"))

    def test_who_takes_it_all_back_is_believed(self):
        assert self.auc([*self.thumbs("agents"), *self.thumbs("vision", later=1)], "vision") > 0.97

    def test_all_down_and_all_up_still_rank(self):
        for up in (True, False):
            assert 0 <= self.auc([replace(thumb, up=up) for thumb in self.thumbs("agents")], "agents") <= 1


def test_targets_are_those_of_the_last_days():
    papers = archive(days=30, a_day=10)
    assert targets(papers).items_per_day == 10
