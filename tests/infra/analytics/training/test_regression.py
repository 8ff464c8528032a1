from math import exp, log

import pytest

from infra.analytics.training.quality import Bin, auc, calibration, log_loss
from infra.analytics.training.regression import fit, probability

ROWS = [(0.0, 1.0), (1.0, 0.0), (2.0, 1.0), (3.0, 0.5), (0.5, 0.0), (2.5, 0.25)]
LABELS = [False, False, True, True, True, False]


def test_with_no_columns_the_intercept_is_the_share():
    [intercept] = fit([()] * 4, [True, False, False, False], [1, 1, 1, 1])
    assert intercept == pytest.approx(log(1 / 3))


def test_a_row_counts_as_often_as_its_weight_says():
    repeated = fit([*ROWS, ROWS[0], ROWS[0]], [*LABELS, False, False], [1] * 8)
    weighted = fit(ROWS, LABELS, [3, 1, 1, 1, 1, 1])
    assert weighted == pytest.approx(repeated)


def test_residuals_vanish_against_every_column():
    found = fit(ROWS, LABELS, [1] * 6)
    residuals = [label - probability(found, row) for row, label in zip(ROWS, LABELS, strict=True)]
    assert sum(residuals) == pytest.approx(0, abs=1e-9)
    for column in zip(*ROWS, strict=True):
        assert sum(map(float.__mul__, residuals, column)) == pytest.approx(0, abs=0.01)


def test_a_constant_column_gets_no_coefficient():
    [_, coefficient] = fit([(0.0,)] * 3, [True, False, True], [1, 1, 1])
    assert coefficient == 0


def test_the_probability_of_a_row_is_that_of_its_log_odds():
    assert probability([1, 2, -3], (0.5, 1)) == pytest.approx(1 / (1 + exp(1)))


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        ([(0.1, False), (0.9, True)], 1),
        ([(0.9, False), (0.1, True)], 0),
        ([(0.5, False), (0.5, True)], 0.5),
        ([(0.1, False), (0.4, True), (0.4, False), (0.8, True)], 0.875),
    ],
)
def test_auc_is_how_often_who_left_was_predicted_higher(predictions, expected):
    assert auc(predictions) == expected


def test_log_loss_is_the_mean_surprise():
    assert log_loss([(0.25, True), (0.25, False)]) == pytest.approx(-(log(0.25) + log(0.75)) / 2)


def test_calibration_sets_what_was_predicted_beside_what_came():
    predictions = [(0.8, True), (0.1, False), (0.6, False), (0.3, False)]
    assert calibration(predictions, bins=2) == [Bin(2, 0.2, 0), Bin(2, pytest.approx(0.7), 0.5)]
