"""The statistics, against the figures printed in arXiv 2411.00640 and against counting by hand."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats as scipy_stats

from evals import stats
from evals.stats import Interval, detectable_difference, needed_items, paired_difference


def draws(n: int, seed: int = 3) -> list[float]:
    rng = random.Random(seed)
    return [float(rng.random() < 0.6) for _ in range(n)]


# --- published figures


def test_a_difference_of_three_points_needs_969_items() -> None:
    assert needed_items(0.03, 1 / 9, 0, 0, 1, 1, 0.05, 0.8) == 969


@pytest.mark.parametrize(("k", "printed"), [(1, "0.1327"), (10, "0.0757")])
def test_ten_runs_an_item_move_the_detectable_difference(k: int, printed: str) -> None:
    assert f"{detectable_difference(198, 1 / 9, 1 / 6, 1 / 6, k, k, 0.05, 0.8):.4f}" == printed


def test_needed_items_and_detectable_difference_are_each_other_turned_round() -> None:
    n = needed_items(0.05, 0.2, 0.1, 0.1, 2, 2)
    assert detectable_difference(n, 0.2, 0.1, 0.1, 2, 2) <= 0.05 < detectable_difference(n - 1, 0.2, 0.1, 0.1, 2, 2)


def test_the_interval_printed_for_math_follows_from_its_mean_and_error() -> None:
    low, high = stats.around(2.5, 0.7, 5_000)
    assert (f"{low:.1f}", f"{high:.1f}") == ("1.1", "3.9")


def test_a_sweep_of_five_items_is_no_proof() -> None:
    assert stats.mcnemar_exact(5, 0) == stats.mcnemar_exact(0, 5) == 0.0625
    assert stats.sign_flip_test([1.0] * 5) == 0.0625
    assert paired_difference([1.0] * 5, [0.0] * 5).p == 0.0625


def test_five_of_five_may_still_be_a_little_over_half() -> None:
    low, high = stats.wilson_interval(5, 5)
    assert (f"{low:.2f}", high) == ("0.57", 1.0)


# --- against counting by hand


@pytest.mark.parametrize("clusters", [1, 2, 4, 7])
def test_clustered_errors_are_the_papers_triple_sum(clusters: int) -> None:
    scores = draws(28)
    names = [f"family {place % (28 // clusters)}" for place in range(28)]
    n, mean = len(scores), sum(scores) / len(scores)
    plain = sum((s - mean) ** 2 for s in scores) / (n - 1) / n
    pairs = sum(
        (scores[i] - mean) * (scores[j] - mean) for i, j in itertools.permutations(range(n), 2) if names[i] == names[j]
    )
    assert stats.clustered_standard_error(scores, names) == pytest.approx(math.sqrt(plain + pairs / n**2), rel=1e-12)


def test_answers_told_twice_are_no_more_evidence_than_once() -> None:
    scores = draws(200)
    once = stats.clustered_standard_error(scores)
    twice = stats.clustered_standard_error(scores * 2, list(range(200)) * 2)
    assert twice == pytest.approx(once, rel=0.01)
    assert stats.clustered_standard_error(scores * 2) < 0.75 * once


def test_a_paired_difference_is_the_mean_of_the_differences_with_their_error() -> None:
    a, b = draws(120, 1), draws(120, 2)
    apart = [x - y for x, y in zip(a, b, strict=True)]
    mean = sum(apart) / 120
    error = math.sqrt(sum((d - mean) ** 2 for d in apart) / 119 / 120)
    found = paired_difference(a, b)
    assert found.n == 120
    assert (found.mean, found.se) == pytest.approx((mean, error))
    assert found.interval == pytest.approx((mean - 1.959964 * error, mean + 1.959964 * error))
    assert found.p == pytest.approx(math.erfc(abs(mean) / error / math.sqrt(2)))


def test_a_paired_difference_turned_round_changes_its_sign_only() -> None:
    a, b, families = draws(60, 1), draws(60, 2), [place // 3 for place in range(60)]
    one, other = paired_difference(a, b, families), paired_difference(b, a, families)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))
    assert (one.se, one.p) == pytest.approx((other.se, other.p))


def test_few_clusters_have_wider_intervals_than_the_normal_distribution_gives() -> None:
    found = paired_difference([1.0, 0, 1, 1, 0, 1], [0.0, 0, 1, 0, 0, 0])
    assert found.high - found.mean == pytest.approx(
        2.570582 * found.se, rel=1e-6
    )  # t of .975 with 5 degrees of freedom


@pytest.mark.parametrize("differences", [[1, 0, -1, 1, 1], [0.5, 0.25, -0.1, 0.7, 0.3, 0.2]], ids=["ties", "shares"])
def test_sign_flips_are_all_counted_where_few_differ(differences: list[float]) -> None:
    told = [d for d in differences if d]
    totals = [
        sum(s * d for s, d in zip(signs, told, strict=True)) for signs in itertools.product((1, -1), repeat=len(told))
    ]
    beyond = sum(abs(total) >= abs(sum(told)) - 1e-9 for total in totals)
    assert stats.sign_flip_test(differences) == pytest.approx(beyond / len(totals))


def test_sign_flips_drawn_at_random_come_near_the_exact_test() -> None:
    differences = [1.0] * 27 + [-1.0] * 13
    assert stats.sign_flip_test(differences) == pytest.approx(stats.mcnemar_exact(27, 13), abs=0.01)


def test_sign_flips_of_clusters_flip_them_whole() -> None:
    assert stats.sign_flip_test([1.0] * 10, ["a"] * 5 + ["b"] * 5) == 0.5


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 9), (20, 20), (31, 12)])
def test_mcnemar_is_the_binomial_counted_out(b: int, c: int) -> None:
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert stats.mcnemar_exact(b, c) == pytest.approx(min(1.0, 2 * tail))


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 2), (8, 8, 3), (8, 0, 3), (6, 5, 1), (6, 3, 6)])
def test_pass_at_k_and_pass_hat_k_are_shares_of_all_choices(n: int, c: int, k: int) -> None:
    tries = [place < c for place in range(n)]
    chosen = list(itertools.combinations(tries, k))
    assert stats.pass_at_k(n, c, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
    assert stats.pass_hat_k(n, c, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


def test_holm_and_benjamini_hochberg_adjust_as_done_by_hand() -> None:
    p = [0.04, 0.01, 0.03, 0.005]
    assert stats.holm(p) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert stats.benjamini_hochberg(p) == pytest.approx([0.04, 0.02, 0.04, 0.02])


def test_adjusted_p_never_exceeds_one_and_none_stay_none() -> None:
    assert stats.holm([0.6, 0.9]) == stats.holm([0.9, 0.9])[:1] * 2 == (1.0, 1.0)
    assert stats.benjamini_hochberg([0.9, 0.6]) == (0.9, 0.9)
    assert stats.holm([]) == stats.benjamini_hochberg([]) == ()


def test_the_bootstrap_agrees_with_the_formula_and_with_itself() -> None:
    scores = draws(300)
    found = stats.bootstrap_interval(scores, draws=4_000, seed=1)
    assert found == stats.bootstrap_interval(scores, draws=4_000, seed=1)
    assert found == pytest.approx(stats.mean_interval(scores), abs=0.01)


def test_the_bootstrap_draws_whole_clusters() -> None:
    scores, families = draws(100) * 4, list(range(100)) * 4
    apart, together = stats.bootstrap_interval(scores), stats.bootstrap_interval(scores, families)
    assert together.high - together.low == pytest.approx(2 * (apart.high - apart.low), rel=0.1)


# --- little or nothing


def test_one_item_tells_nothing_of_the_spread() -> None:
    found = paired_difference([1.0], [0.0])
    assert (found.mean, found.se, found.interval, found.p) == (1.0, math.inf, (-math.inf, math.inf), 1.0)
    assert stats.clustered_standard_error([1.0, 0.0, 1.0], ["one"] * 3) == math.inf


def test_equal_scores_differ_by_nothing() -> None:
    found = paired_difference([0.3] * 40, [0.3] * 40)
    assert (found.mean, found.se, found.interval, found.p) == (0.0, 0.0, (0.0, 0.0), 1.0)


def test_no_trials_leave_everything_open() -> None:
    assert stats.wilson_interval(0, 0) == Interval(0.0, 1.0)
    assert stats.wilson_interval(0, 7).low == 0.0


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no items": (lambda: paired_difference([], []), "at least one item"),
    "no scores": (lambda: stats.clustered_standard_error([]), "at least one score"),
    "nothing to draw from": (lambda: stats.bootstrap_interval([]), "at least one score"),
    "not a number": (lambda: paired_difference([1.0, 0.0], [1.0, math.nan]), r"b\[1\] is nan"),
    "endless": (lambda: stats.clustered_standard_error([math.inf]), r"scores\[0\] is inf"),
    "p of no number": (lambda: stats.holm([0.1, math.nan]), r"holm: p\[1\] is nan"),
    "p above one": (lambda: stats.benjamini_hochberg([1.2]), r"benjamini_hochberg: p\[0\] is 1.2"),
    "other items": (lambda: paired_difference([1.0], [1.0, 0.0]), "same items: 1 and 2"),
    "clusters of other items": (lambda: paired_difference([1.0], [0.0], ["a", "b"]), "1 scores, 2 clusters"),
    "more successes than tries": (lambda: stats.wilson_interval(6, 5), "k=6, n=5"),
    "a share of no number": (lambda: stats.wilson_interval(math.nan, 5), "k=nan"),
    "more tries than there were": (lambda: stats.pass_at_k(4, 2, 5), "5 of 4 tries"),
    "negative count": (lambda: stats.mcnemar_exact(-1, 2), "b=-1"),
    "no difference to find": (lambda: needed_items(0, 0.1), "delta"),
    "no runs": (lambda: detectable_difference(9, 0.1, k_a=0), "k_a"),
    "certain power": (lambda: needed_items(0.1, 0.1, power=1.0), "power"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_counted_is_refused_by_name(what: str) -> None:
    call, said = REFUSED[what]
    with pytest.raises(ValueError, match=said):
        call()


def test_all_tests_of_two_runs_of_5000_items_take_seconds() -> None:
    a, b, families = draws(5_000, 1), draws(5_000, 2), [place // 4 for place in range(5_000)]
    begun = time.process_time()
    paired_difference(a, b, families)
    stats.mcnemar_exact(sum(map(float.__gt__, a, b)), sum(map(float.__lt__, a, b)))
    apart = list(map(float.__sub__, a, b))
    for clusters in (None, families):
        stats.sign_flip_test(apart, clusters)
        stats.bootstrap_interval(apart, clusters, draws=10_000)
    assert time.process_time() - begun < 5


def test_five_large_families_can_tell_two_models_apart() -> None:
    """Flips of five whole families never fall below .0625, however many items they hold."""
    families = [k % 5 for k in range(100)]
    apart = [1.0 if k % 3 else 0.0 for k in range(100)]
    assert stats.sign_flip_test(apart, families) == pytest.approx(0.0625)
    assert stats.few_clusters_test(apart, families) < 1e-4


def test_one_family_alone_decides_nothing_and_neither_do_five_items() -> None:
    families = [k % 5 for k in range(100)]
    assert stats.few_clusters_test([float(k % 5 == 0) for k in range(100)], families) > 0.3
    assert stats.few_clusters_test([float(k < 5) for k in range(100)], families) == pytest.approx(0.0625)
    assert stats.few_clusters_test([0.0] * 100, families) == 1
    assert stats.few_clusters_test([1.0] * 100, families) == pytest.approx(2**-99)


def test_few_large_families_are_the_t_test_of_their_means() -> None:
    rng = np.random.default_rng(4)
    means = rng.normal(0.3, 0.2, 8)
    apart = np.repeat(means, 12) + np.tile(np.linspace(-0.05, 0.05, 12), 8)
    expected = scipy_stats.ttest_1samp(means, 0).pvalue
    assert stats.few_clusters_test(apart.tolist(), [k // 12 for k in range(96)]) == pytest.approx(expected)


@pytest.mark.parametrize("families", [5, 8, 14])
@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_two_models_that_are_alike_are_seldom_told_apart(families: int, spread: float) -> None:
    """Families on which one happens to be better, by chance of the family: at most one in twenty false alarms."""
    rng, found, tries = np.random.default_rng(7), 0, 300
    where = np.arange(100) % families
    for _ in range(tries):
        base, tilt = rng.normal(0, 1, families), rng.normal(0, spread, families)
        one, other = (rng.binomial(2, 1 / (1 + np.exp(-(base + way * tilt / 2)[where]))) / 2 for way in (1, -1))
        found += stats.few_clusters_test((one - other).tolist(), where.tolist()) <= 0.05
    assert found / tries <= 0.08  # .05 and three standard errors of so many tries


def reach(differing: int, *, families: int, size: float = 1.0, se: float = 0.05) -> stats.Reach:
    found = stats.Reach.of(se, [size] * differing + [0.0] * (100 - differing), [k % families for k in range(100)])
    assert found is not None
    return found


def test_what_few_families_could_have_shown_is_larger_than_what_many_could() -> None:
    many, few = (reach(50, families=count).found() for count in (50, 5))
    assert many == pytest.approx(2.8016 * 0.05, rel=1e-4)
    assert few == pytest.approx((2.776445 + 0.940965) * 0.05 * math.sqrt(5 / 4), rel=1e-5)


@pytest.mark.parametrize("families", [5, 100])
def test_six_items_that_differ_are_the_least_that_is_ever_found(families: int) -> None:
    """At .05 an exact test needs six that favour one; six or more come four times in five where 7.9 are to be expected."""
    found = reach(4, families=families, se=0.001).found()
    assert found == pytest.approx(7.906 / 100, rel=1e-3)
    assert sum(np.random.default_rng(3).poisson(100 * found, 20_000) >= 6) / 20_000 == pytest.approx(0.8, abs=0.01)
    assert reach(4, families=families, size=0.5, se=0.001).found() == pytest.approx(found / 2)


def test_after_a_correction_only_more_is_found_and_with_very_few_items_nothing() -> None:
    alone, among = (reach(40, families=5).found(alpha=alpha) or 0 for alpha in (0.05, 0.005))
    assert among > 1.5 * alone
    five = stats.Reach.of(0.2, [1.0, 0, 0, 0, 0], list(range(5)))
    assert five is not None
    assert five.found() is None
    assert stats.Reach.of(0.0, [0.0, 0.0], ["a", "b"]) is None
    assert stats.Reach.of(math.inf, [1.0, 0.0], ["a", "a"]) is None
