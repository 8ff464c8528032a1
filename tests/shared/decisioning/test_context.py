"""The context of a decision: whole entries in a fixed order, within the bound, and the names of the others."""

from datetime import timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.context import MAX_CONTEXT, Context, fit, flat
from shared.decisioning.situation import Situation
from shared.domain.moments import Moment, MomentKind
from tests.support.builders import NOW, catalog, catalog_with_audience, decide, user

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=300) | st.lists(st.text())
MANY = st.dictionaries(st.text(min_size=1, max_size=60), VALUES, max_size=40)
RENEWED = Moment(MomentKind.RENEWED, "main", NOW, "c1")


@given(MANY)
def test_a_context_is_within_its_bound_and_loses_no_name(values: dict[str, object]) -> None:
    told = fit(values)
    assert len(orjson.dumps(told.values)) <= MAX_CONTEXT
    assert told.values.keys() | set(told.left_out) == values.keys()
    assert told.values.keys().isdisjoint(told.left_out)
    assert all(values[name] == value for name, value in told.values.items())


@given(MANY)
def test_nothing_is_left_out_that_there_is_room_for(values: dict[str, object]) -> None:
    told = fit(values)
    for name in told.left_out:
        assert len(orjson.dumps(told.values | {name: values[name]})) > MAX_CONTEXT


def test_a_long_value_leaves_its_room_to_shorter_ones() -> None:
    assert fit({"long": "x" * MAX_CONTEXT, "short": 1}) == Context({"short": 1}, ("long",))


def test_a_value_may_fill_the_context_to_the_last_byte() -> None:
    fills = "x" * (MAX_CONTEXT - len('{"a":""}'))
    assert len(orjson.dumps(fit({"a": fills}).values)) == MAX_CONTEXT
    assert fit({"a": fills + "x"}).left_out == ("a",)


def test_a_map_is_told_value_by_value() -> None:
    told = flat({"offers": {"b": {"issued": 1}, "a": {"issued": 0}}, "profile.country": "SE"})
    assert [*told.items()] == [("offers.a.issued", 0), ("offers.b.issued", 1), ("profile.country", "SE")]


def context_by(*clauses: str) -> tuple[dict[str, object], tuple[str, ...]]:
    """The context of the decision of a catalog with one campaign, for a Swedish student."""
    asked = catalog_with_audience(*({f"c{number}": clause} for number, clause in enumerate(clauses)))
    told = decide(asked, user(country="SE", student=True), [RENEWED]).context
    return told.values, told.left_out


def test_a_decision_knows_what_its_clauses_ask_for_and_nothing_else() -> None:
    values, left_out = context_by('profile.country == "SE"', "subscription.days_in_status > 3 || profile.student")
    assert values.keys() == {"profile.country", "profile.student", "subscription.days_in_status"}
    assert (values["profile.country"], left_out) == ("SE", ())


def test_what_is_unknown_is_told_as_null() -> None:
    assert context_by('profile.locale == "sv"')[0] == {"profile.locale": None}


def test_the_list_of_subscriptions_is_named_only_and_the_instant_is_in_the_message_anyway() -> None:
    clause = 'subscriptions.exists(one, one.plan == "x") || now > timestamp("2026-01-01T00:00:00Z")'
    assert context_by(clause) == ({}, ("subscriptions",))


def test_a_stale_moment_asks_for_nothing() -> None:
    old = RENEWED._replace(at=NOW - timedelta(days=30))
    assert decide(catalog_with_audience({"c": "profile.student"}), user(), [], [old]).context == Context({}, ())


def test_a_situation_that_nobody_asked_knows_nothing() -> None:
    assert Situation(catalog(), user()).context(()) == Context({}, ())
