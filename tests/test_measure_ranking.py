"""The figures of a ranking: each against its plain definition, and null where it cannot be told."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals import bootstrap, ranking
from evals.ranking import Ranked

START = date(2025, 11, 3)
SCORED = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40)


def arrays(scored: list[tuple[int, bool]]):
    return np.array([score for score, _ in scored], dtype=float), np.array([label for _, label in scored], dtype=bool)


@given(SCORED)
def test_auc_is_how_often_a_pick_stands_above_another_paper(scored):
    scores, labels = arrays(scored)
    pairs = [(up > down) + 0.5 * (up == down) for up in scores[labels] for down in scores[~labels]]
    assert ranking.auc(scores, labels) == (pytest.approx(np.mean(pairs)) if pairs else None)


@given(SCORED)
def test_average_precision_is_the_mean_share_of_picks_down_to_each_pick(scored):
    scores, labels = arrays(scored)
    shares = [labels[scores >= score].mean() for score in scores[labels]]
    assert ranking.average_precision(scores, labels) == (pytest.approx(np.mean(shares)) if shares else None)


def test_figures_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 40, 500).astype(float), rng.random(500) < 0.1
    assert ranking.auc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert ranking.average_precision(scores, labels) == pytest.approx(metrics.average_precision_score(labels, scores))


def test_what_ties_at_the_edge_counts_for_what_chance_would_make_of_it():
    scores, labels = np.array([3.0, 2, 2, 2, 1]), np.array([True, True, False, False, True])
    orders = [order for order in permutations(range(5)) if all(scores[a] >= scores[b] for a, b in pairwise(order))]
    assert ranking.hits_at(scores, labels, 3) == pytest.approx(np.mean([labels[list(o[:3])].sum() for o in orders]))


def test_only_days_of_fifty_papers_and_a_pick_count():
    days = [START] * 50 + [START + timedelta(days=1)] * 49 + [START + timedelta(days=2)] * 60
    labels = [True] + [False] * 49 + [True] + [False] * 48 + [False] * 60
    scores = [1.0] + [0.0] * 49 + [0.0] * 109
    first, short, barren = ranking.days(Ranked.of(scores, labels, days))
    assert (first.precision, first.recall) == (pytest.approx(0.1), 1.0)
    assert (short.counts, barren.counts) == (False, False)


class TestReliability:
    def drawn(self, bend: float = 1.0, count: int = 40_000):
        """Probabilities whose logits are `bend` times what they should be."""
        rng = np.random.default_rng(0)
        logits = rng.normal(-2, 1.5, count)
        labels = rng.random(count) < 1 / (1 + np.exp(-logits))
        return 1 / (1 + np.exp(-bend * logits)), labels

    def test_true_probabilities_have_slope_one_and_hardly_an_error(self):
        found = ranking.reliability(*self.drawn())
        assert found is not None
        assert found.slope == pytest.approx(1, abs=0.05)
        assert found.ece < 0.01
        assert found.brier_skill is not None
        assert found.brier_skill > 0.2

    def test_too_sure_is_a_slope_below_one_and_an_error(self):
        found = ranking.reliability(*self.drawn(bend=2.0))
        assert found is not None
        assert found.slope == pytest.approx(0.5, abs=0.03)
        assert found.ece > 0.02

    def test_each_paper_is_in_one_bin(self):
        probabilities, labels = self.drawn(count=1000)
        found = ranking.reliability(probabilities, labels)
        assert found is not None
        assert [each.papers for each in found.bins] == [100] * 10
        assert sum(each.papers * each.found for each in found.bins) == pytest.approx(labels.sum())

    def test_the_base_rate_every_time_has_no_skill_and_no_error(self):
        labels = np.array([True] * 10 + [False] * 90)
        found = ranking.reliability(np.full(100, 0.1), labels)
        assert found is not None
        assert (len(found.bins), found.slope) == (1, None)
        assert (found.ece, found.brier_skill) == (pytest.approx(0), pytest.approx(0))

    @pytest.mark.parametrize("label", [True, False])
    def test_of_one_class_there_is_no_slope_and_no_skill(self, label):
        found = ranking.reliability(np.linspace(0.1, 0.9, 20), np.full(20, label))
        assert found is not None
        assert (found.slope, found.brier_skill) == (None, None)

    def test_classes_that_do_not_overlap_have_no_finite_slope(self):
        assert ranking.slope(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])) is None


class TestDaysDrawn:
    def ranked(self) -> Ranked:
        rng = np.random.default_rng(3)
        count = 900
        scores = np.round(rng.random(count), 2)
        return Ranked.of(
            scores, rng.random(count) < scores * 0.2, [START + timedelta(days=n % 12) for n in range(count)]
        )

    def test_a_draw_of_days_is_as_if_its_papers_had_been_ranked_anew(self):
        ranked = self.ranked()
        weights = bootstrap.drawn(12, draws=5, seed=2)
        told = {name: figure(weights) for name, figure in bootstrap.figures(ranked, probabilities=True).items()}
        for draw, counts in enumerate(weights):
            rows = np.concatenate(
                [np.repeat(np.flatnonzero(ranked.day_of == day), int(n)) for day, n in enumerate(counts)]
            )
            scores, labels = ranked.scores[rows], ranked.labels[rows]
            assert told["auc"][draw] == pytest.approx(ranking.auc(scores, labels))
            assert told["average_precision"][draw] == pytest.approx(ranking.average_precision(scores, labels))
            assert told["brier_skill"][draw] == pytest.approx(ranking.brier_skill(scores, labels))

    def test_the_first_draw_is_the_days_as_they_are(self):
        ranked = self.ranked()
        told = bootstrap.figures(ranked, probabilities=True)
        weights = bootstrap.drawn(12, draws=3)
        counting = [day for day in ranking.days(ranked) if day.counts]
        assert told["p_at_10"](weights)[0] == pytest.approx(np.mean([day.precision for day in counting]))
        assert told["recall_at_20"](weights)[0] == pytest.approx(np.mean([day.recall for day in counting]))
        found = ranking.reliability(ranked.scores, ranked.labels)
        assert found is not None
        assert told["ece"](weights)[0] == pytest.approx(found.ece)

    def test_the_same_seed_draws_the_same(self):
        assert (bootstrap.drawn(9, draws=20, seed=4) == bootstrap.drawn(9, draws=20, seed=4)).all()
        assert (bootstrap.drawn(9, draws=20, seed=4) != bootstrap.drawn(9, draws=20, seed=5)).any()

    def test_a_clear_difference_has_an_interval_without_nought(self):
        ranked = self.ranked()
        worse = Ranked(np.random.default_rng(0).random(len(ranked.scores)), ranked.labels, ranked.day_of, ranked.days)
        weights = bootstrap.drawn(12, draws=500)
        a, b = (bootstrap.figures(each, probabilities=False)["auc"](weights) for each in (ranked, worse))
        apart, itself = bootstrap.interval(a - b), bootstrap.interval(a - a)
        assert apart is not None
        assert apart.low > 0
        assert itself == (0, 0)

    def test_what_no_draw_can_tell_has_no_interval(self):
        ranked = Ranked.of([1.0, 2.0], [False, False], [START, START])
        assert (
            bootstrap.interval(bootstrap.figures(ranked, probabilities=False)["auc"](bootstrap.drawn(1, draws=5)))
            is None
        )


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
@settings(max_examples=25)
def test_pairs_of_one_group_are_drawn_together(values):
    groups = [number // 2 for number in range(len(values))]
    low, high = bootstrap.by_group(values, [0.0] * len(values), groups, draws=200)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


def test_values_that_are_no_pairs_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        bootstrap.by_group([1.0], [1.0, 2.0], ["a"])
