"""Every reason has words, with its detail."""

import pytest

from infra.terminal.reasons import LOSSES, why_lost, why_revoked
from shared.decisioning.losses import LossReason


def test_every_reason_of_a_loss_has_words_of_its_own():
    assert set(LOSSES) == set(LossReason)
    assert len({*LOSSES.values()}) == len(LOSSES)


@pytest.mark.parametrize(
    ("reason", "detail", "told"),
    [
        ("audience", "active", "not in its audience (active)"),
        ("kill_switch", None, "the catalog's kill switch is on"),
        ("cool_down", "until 2026-02-19T08:35:00+00:00", "it rests (until 2026-02-19 08:35)"),
        ("cool_down", "until 2026-02-19T09:35:00.123456+01:00", "it rests (until 2026-02-19 08:35)"),
        ("of a later version", "x", "of a later version (x)"),
        ("stale", "9999-99-99T99:99:99Z", "too late (9999-99-99T99:99:99Z)"),
    ],
)
def test_a_loss_is_told_with_its_detail_and_short_times(reason, detail, told):
    assert why_lost({"reason": reason, "detail": detail}) == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("moment", "no longer true"),
        ("replaced", "another offer took its place"),
        ("audience", "not in its audience"),
        ("new", "new"),
        (None, "no reason is told"),
    ],
)
def test_a_revocation_is_told_in_words(reason, told):
    assert why_revoked(reason) == told
