"""The things that are due for a user, soonest first: as the document's own instant says, or before it."""

from datetime import timedelta

import pytest

from infra.catalog.load import load_catalog
from infra.replay.stores import STORE, read_document
from shared.domain.terms import Terms
from shared.queries.due import Due, due
from shared.record.codec import unpack
from tests.support import replays
from tests.support.replays import START, payment, signal, trial

TERMS, CATALOG = Terms(), load_catalog()


def lived(folder, *lines, days):
    now = START + timedelta(days=days)
    done = replays.run(folder, *lines, now=now, keep_store=True)
    return unpack(read_document(done.folder / STORE, "u").blob), now


def test_milestones_and_the_next_change_of_the_subscription_are_due(tmp_path):
    record, now = lived(tmp_path, trial(), days=5)
    assert due(record, CATALOG, now, TERMS) == [
        Due(START + timedelta(days=11), "trial.ending@3d is decided"),
        Due(START + timedelta(days=13), "trial.ending@1d is decided"),
        Due(START + timedelta(days=14), "subscription main: trialing -> grace, unless an event comes before"),
    ]
    assert [one.what for one in due(record, None, now, TERMS)] == [
        "subscription main: trialing -> grace, unless an event comes before"
    ]


def test_what_is_over_is_not_due(tmp_path):
    record, now = lived(tmp_path, payment(days=0), signal("u", 1, "cancelled"), days=60)
    told = due(record, CATALOG, now, TERMS)
    assert all(one.at > now for one in told)
    assert record.next_due_at is None
    assert told == []


@pytest.mark.parametrize(
    "lines", [[trial()], [payment(days=0)], [trial(), payment(days=13)], [payment(days=0, outcome="failed")]]
)
def test_the_clock_looks_at_a_user_no_later_than_at_the_first_thing_that_is_decided(tmp_path, lines):
    record, now = lived(tmp_path, *lines, days=13.5)
    decided = [one.at for one in due(record, CATALOG, now, TERMS) if one.what.endswith("is decided")]
    assert not decided or record.next_due_at <= decided[0]
