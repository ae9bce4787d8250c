"""The optimizer against one that everybody trusts, and calibration against what it should give back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, sparse, special

from scout.triage import logistic
from scout.triage.calibration import NEEDED, Scaling, platt
from scout.triage.logistic import Dense


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    matrix = sparse.random(300, 80, density=0.1, format="csr", random_state=4, dtype=np.float32)
    truth = rng.normal(size=80)
    labels = (rng.random(300) < special.expit(3 * (matrix @ truth) - 1)).astype(float)
    dense = Dense(np.column_stack([np.ones(300), rng.normal(size=300)]), np.array([-1.0, 0.5]), np.array([1.0, 0.3]))
    return matrix, labels, rng.uniform(0.3, 1.5, 300), dense


def test_the_minimum_is_the_one_that_bfgs_finds(problem):
    matrix, labels, weights, dense = problem
    width = 1.7

    def loss(point):
        logit = matrix @ point[:80] + dense.values @ point[80:]
        data = weights @ (np.logaddexp(0, logit) - labels * logit)
        return (
            data + point[:80] @ point[:80] / (2 * width**2) + (((point[80:] - dense.mean) / dense.sigma) ** 2).sum() / 2
        )

    found = logistic.fit(matrix, labels, weights, dense, width=width, tolerance=1e-5)
    expected = optimize.minimize(loss, np.zeros(82), method="BFGS", options={"gtol": 1e-4}).x
    assert np.allclose(found.sparse, expected[:80], atol=5e-3)
    assert np.allclose(found.dense, expected[80:], atol=5e-3)


def test_where_it_starts_does_not_matter(problem):
    matrix, labels, weights, dense = problem
    cold = logistic.fit(matrix, labels, weights, dense, tolerance=1e-5)
    half = logistic.fit(matrix[:150], labels[:150], weights[:150], Dense(dense.values[:150], dense.mean, dense.sigma))
    warm = logistic.fit(matrix, labels, weights, dense, start=half, tolerance=1e-5)
    assert np.allclose(cold.sparse, warm.sparse, atol=5e-3)


def test_columns_that_do_not_occur_keep_weight_zero(problem):
    matrix, labels, weights, dense = problem
    wider = sparse.hstack([matrix, sparse.csr_matrix((300, 5), dtype=np.float32)]).tocsr()
    assert not logistic.fit(wider, labels, weights, dense).sparse[80:].any()


def test_one_label_alone_stays_finite(problem):
    matrix, _, weights, dense = problem
    found = logistic.fit(matrix, np.ones(300), weights, dense)
    assert np.isfinite(found.sparse).all()
    assert np.abs(found.dense).max() < 10


def test_softmax_corrections_move_towards_the_label():
    matrix = sparse.identity(3, format="csr", dtype=np.float32) * 3
    table = logistic.fit_softmax(matrix, np.array([2, 0, 1]), np.zeros((3, 3)))
    assert ((matrix @ table).argmax(axis=1) == [2, 0, 1]).all()


def drawn(slope: float, shift: float, count: int = 4000):
    rng = np.random.default_rng(1)
    truth = rng.normal(scale=1.5, size=count)
    return slope * truth + shift, (rng.random(count) < special.expit(truth)).astype(float)


def test_overconfident_logits_are_scaled_back():
    logits, labels = drawn(2.0, 0.6)
    scaling = platt([(logits[:2000], labels[:2000]), (logits[2000:], labels[2000:])])
    assert scaling.slope == pytest.approx(0.5, abs=0.06)
    assert scaling.shift == pytest.approx(-0.3, abs=0.15)


def test_good_logits_are_left_alone():
    scaling = platt([drawn(1.0, 0.0)])
    assert scaling.slope == pytest.approx(1, abs=0.08)
    assert scaling.shift == pytest.approx(0, abs=0.1)


def test_the_shift_is_that_of_the_last_fold():
    early, late = drawn(1.0, 2.0), drawn(1.0, 0.0)
    assert platt([early, late]).shift == pytest.approx(0, abs=0.1)


def test_a_few_thumbs_change_nothing():
    logits, labels = drawn(3.0, 1.0, count=NEEDED)
    assert platt([(logits, labels)]) == Scaling()
    assert platt([]) == Scaling()
