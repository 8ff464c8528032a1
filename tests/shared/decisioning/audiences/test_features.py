"""Features as facts: a fresh value of the declared type, or null, of which the decision says why."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outbound.decision import DecisionMessage
from shared.decisioning.audiences.features import MAX_REASONS, told
from shared.decisioning.catalog import Catalog
from shared.decisioning.library import Library
from shared.decisioning.losses import LossReason
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import no_longer_true
from shared.domain.errors import InvalidCatalog
from shared.domain.features import NO_FEATURES, Feature, KnownFeatures
from shared.domain.user import User
from tests.support.artifacts import logistic, number, score
from tests.support.builders import NOW, ago, campaign, catalog, content, decide, moment, trigger, user
from tests.support.candidates import candidates_of

DECLARED = {
    "value": {"type": "number", "max_age_hours": 48},
    "segment": {"type": "string", "max_age_hours": 48},
    "vip": {"type": "bool", "max_age_hours": 48},
}
DOWN = KnownFeatures(failure="Bigtable: UNAVAILABLE")
UNAVAILABLE = "features unavailable: Bigtable: UNAVAILABLE"


def known(as_of: datetime = NOW, **values: Any) -> KnownFeatures:
    return KnownFeatures({name: Feature(value, as_of) for name, value in values.items()})


def of(features: KnownFeatures) -> User:
    return replace(user(), features=features)


def asking(*clauses: str, **sections: Any) -> Catalog:
    audience = {"all": [{f"c{index}": clause} for index, clause in enumerate(clauses)]}
    return catalog(
        audiences={"wanted": audience},
        features=DECLARED,
        campaigns={"upgrade": campaign(audience="wanted")},
        **sections,
    )


def scoring(**terms: Any) -> Catalog:
    """A catalog whose campaign requires a score of a feature."""
    worth = score(logistic(name="worth", numeric=[number("features.value", **terms)]))
    return catalog(
        Library(lambda _name, _version: worth),
        scores={"worth": {"version": 1}},
        features=DECLARED,
        campaigns={"upgrade": campaign(rank={"score": "worth"}, require_score=True)},
    )


@pytest.mark.parametrize(
    ("clause", "value"),
    [
        ("features.value > 100", {"value": 101}),
        ("features.value == 0.5", {"value": 0.5}),
        ("features['value'] + 1.0 == 2.0", {"value": 1}),
        ("features.segment == 'gold'", {"segment": "gold"}),
        ("features.vip && features.value < 1", {"vip": True, "value": -1}),
        ("features.value == null", {"value": None}),
    ],
)
def test_a_value_is_asked_as_any_other_fact(clause: str, value: dict[str, Any]) -> None:
    asked = asking(clause)
    assert decide(asked, of(known(**value)), [moment()]).issued
    assert not decide(asked, of(known(value=5, segment="tin", vip=False)), [moment()]).issued


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (DOWN, UNAVAILABLE),
        (NO_FEATURES, "features.value has no value"),
        (known(ago(hours=48), value=500), f"features.value stale since {NOW.isoformat()}"),
        (
            known(datetime.min.replace(tzinfo=NOW.tzinfo), value=500),
            "features.value stale since 0001-01-03T00:00:00+00:00",
        ),
        (known(ago(hours=1), value=None), "features.value unknown as of 2026-06-01T11:00:00+00:00"),
        (known(value="500"), "features.value: expected a number, found a string of 3 characters"),
        (known(value=True), "features.value: expected a number, found a boolean"),
        (known(value=b"\xff"), "features.value: expected a number, found an object"),
        (known(value=[1]), "features.value: expected a number, found a list"),
    ],
)
def test_what_cannot_be_used_is_null_and_the_decision_says_why(features: KnownFeatures, reason: str) -> None:
    decision = decide(asking("features.value > 100"), of(features), [moment()])
    (candidate,) = candidates_of(decision)
    assert candidate.reason == LossReason.AUDIENCE
    assert (candidate.detail or "").endswith(f" ({reason})")
    assert decision.context == ({"features.value": None}, (), (reason,))
    (second,) = candidates_of(decide(asking("features.value == null"), of(features), [moment()]))
    assert second.reason is None


def test_a_value_is_fresh_until_its_age_is_reached() -> None:
    just_fresh = known(ago(hours=48) + timedelta(microseconds=1), value=500)
    decision = decide(asking("features.value > 100"), of(just_fresh), [moment()])
    assert decision.issued
    assert decision.context == ({"features.value": 500.0}, (), ())


def test_a_decision_that_made_an_offer_without_a_feature_says_so_too() -> None:
    decision = decide(asking("features.value == null || features.value > 100"), of(DOWN), [moment()])
    assert decision.issued
    assert decision.context.features_missing == (UNAVAILABLE,)


def test_the_answers_kept_for_one_user_are_not_those_of_another() -> None:
    asked = asking("features.value > 100")
    values = [101, 99, None, 101]
    assert [bool(decide(asked, of(known(value=value)), [moment()]).won) for value in values] == [
        True,
        False,
        False,
        True,
    ]


def test_under_none_of_a_missing_feature_is_unknown() -> None:
    audiences = {
        "rich": {"all": [{"much": "features.value > 100"}]},
        "wanted": {"none_of": ["rich"]},
    }
    asked = catalog(features=DECLARED, audiences=audiences, campaigns={"upgrade": campaign(audience="wanted")})
    assert decide(asked, of(known(value=5)), [moment()]).issued
    (candidate,) = candidates_of(decide(asked, of(DOWN), [moment()]))
    assert candidate.detail == f"none_of.rich.much: features.value unknown ({UNAVAILABLE})"


class TestScores:
    def test_ask_for_features(self) -> None:
        decision = decide(scoring(), of(known(value=0)), [moment()])
        assert decision.issued
        assert decision.context.values == {"scores.worth": 0.5, "features.value": 0.0}

    def test_fail_without_one_where_they_say_so(self) -> None:
        decision = decide(scoring(missing="fail"), of(DOWN), [moment()])
        (candidate,) = candidates_of(decision)
        assert candidate.reason == LossReason.SCORE
        assert decision.context.features_missing == (UNAVAILABLE,)

    def test_go_on_without_one_where_they_say_so_and_the_decision_tells(self) -> None:
        decision = decide(scoring(missing={"impute": 0}), of(DOWN), [moment()])
        assert decision.issued
        assert decision.context == ({"scores.worth": 0.5, "features.value": None}, (), (UNAVAILABLE,))


class TestWhetherTheyAreRead:
    def test_a_clause_or_a_score_that_asks_has_them_read(self) -> None:
        assert asking("features.value > 100").asks_features
        assert scoring().asks_features
        nested = {"inner": {"all": [{"c": "features.vip"}]}, "wanted": {"any_of": ["inner"]}}
        campaigns = {"upgrade": campaign(audience="wanted")}
        assert catalog(features=DECLARED, audiences=nested, campaigns=campaigns).asks_features

    def test_a_catalog_that_asks_for_none_has_none_read(self) -> None:
        assert not catalog().asks_features
        assert not asking("subscription.live").asks_features
        unused = {"nobody": {"all": [{"c": "features.vip"}]}}
        assert not catalog(features=DECLARED, audiences=unused).asks_features

    def test_a_score_that_asks_for_one_that_is_not_declared_has_none_read_and_is_told(self) -> None:
        worth = score(logistic(name="worth", numeric=[number("features.other", missing="fail")]))
        asked = catalog(
            Library(lambda _name, _version: worth),
            scores={"worth": {"version": 1}},
            campaigns={"upgrade": campaign(rank={"score": "worth"})},
        )
        assert not asked.asks_features
        decision = decide(asked, of(known(other=5)), [moment()])
        assert decision.context == (
            {"scores.worth": None, "features.other": None},
            (),
            ("features.other: expected a feature that the catalog declares",),
        )


class TestOpenTriggers:
    def test_are_not_revoked_while_features_cannot_be_read(self) -> None:
        asked = asking("features.value > 100")
        shown = (trigger(),)
        assert no_longer_true(shown, Situation(asked, replace(of(DOWN), triggers=shown)), ()) == {}
        fallen = replace(of(known(value=1)), triggers=shown)
        assert no_longer_true(shown, Situation(asked, fallen), ()) == {}


def problems(clause: str, **sections: Any) -> list[str]:
    with pytest.raises(InvalidCatalog) as refused:
        asking(clause, **sections)
    return refused.value.problems


class TestMistakes:
    @pytest.mark.parametrize(
        ("clause", "expected"),
        [
            ("features.valeu > 1", 'one of the features (value?), found "features.valeu"'),
            ("features.size() > 1", 'one of the features, found "features.size"'),
            ("features[profile.country] > 1", "a feature by its name (features.NAME)"),
            ("'value' in features", "a feature by its name (features.NAME)"),
            ("has(features.value)", "`!= null` instead of has()"),
            ("features.segment > 3", "values that go together, not string > int"),
            ("features.value + 1 > 3", "values that go together, not double + int"),
            ("features.value.startsWith('x')", "values that go together"),
            ("features.vip + 1 == 2", "values that go together"),
        ],
    )
    def test_are_told_with_what_was_expected(self, clause: str, expected: str) -> None:
        (sentence, *_) = problems(clause)
        assert sentence.startswith(f"audiences.wanted.all[0].c0: expected {expected}")

    @pytest.mark.parametrize(
        ("terms", "sentence"),
        [
            (
                {"type": "list", "max_age_hours": 1},
                'features.x.type: expected one of string, number, bool, found "list"',
            ),
            ({"type": "bool"}, "features.x.max_age_hours: expected a value, found nothing"),
            ({"type": "bool", "max_age_hours": 0}, "features.x.max_age_hours: expected at least 1, found 0"),
            (
                {"type": "bool", "max_age_days": 1},
                "features.x.max_age_days: expected a known field (max_age_hours?), found 1",
            ),
        ],
    )
    def test_in_a_declaration_are_told(self, terms: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InvalidCatalog) as refused:
            catalog(features={"x": terms})
        assert sentence in refused.value.problems

    def test_a_holdout_must_not_come_and_go_with_them(self) -> None:
        holdouts = {"all": {"percent": 5, "audience": "wanted"}}
        expected = "an audience that does not ask for features.vip, by which users would come and go"
        sentence = f'holdouts.all.audience: expected {expected}, found "wanted"'
        assert problems("features.vip", holdouts=holdouts) == [sentence]

    def test_a_catalog_has_32_of_them_at_most(self) -> None:
        with pytest.raises(InvalidCatalog, match="features: expected at most 32 entries, found 33"):
            catalog(features={f"f{number}": DECLARED["vip"] for number in range(33)})


def test_of_many_reasons_a_few_are_told() -> None:
    clauses = [f"features.f{index} == null" for index in range(16)]
    declared = {f"f{index}": DECLARED["value"] for index in range(16)}
    asked = catalog(
        features=declared,
        audiences={"wanted": {"all": [{f"c{index}": clause} for index, clause in enumerate(clauses)]}},
        campaigns={"upgrade": campaign(audience="wanted")},
    )
    missing = decide(asked, of(NO_FEATURES), [moment()]).context.features_missing
    assert missing == (*sorted(f"features.f{index} has no value" for index in range(16))[:4], "and 12 more")


@given(st.lists(st.text(max_size=5)))
def test_told_reasons_are_few_and_each_is_one_of_them(reasons: list[str]) -> None:
    few = told(reasons)
    assert len(few) <= MAX_REASONS + 1
    assert {*few[:MAX_REASONS]} <= {*reasons}


VALUES = (
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.integers(-(2**70), 2**70) | st.text() | st.binary()
)
TIMES = st.datetimes(timezones=st.just(NOW.tzinfo))


@given(st.dictionaries(st.sampled_from([*DECLARED, "other"]), st.builds(Feature, VALUES, TIMES)))
def test_no_value_whatever_breaks_a_decision(values: dict[str, Feature]) -> None:
    asked = asking("features.value > 100 || features.segment == 'gold' || features.vip")
    decision = decide(asked, of(KnownFeatures(values)), [moment()])
    assert len(candidates_of(decision)) == 1
    for name, terms in DECLARED.items():
        told_value = decision.context.values.get(f"features.{name}")
        assert told_value is None or type(told_value).__name__ in {
            "float": "number",
            "str": "string",
            "bool": "bool",
        }
        fresh = name in values and NOW - values[name].as_of < timedelta(hours=terms["max_age_hours"])
        assert fresh or told_value is None


def test_two_decisions_without_features_are_alike_however_they_are_missing() -> None:
    asked = asking("subscription.live")
    assert content(decide(asked, of(DOWN), [moment()])) == content(decide(asked, user(), [moment()]))
    assert "features_missing" in DecisionMessage.model_fields
