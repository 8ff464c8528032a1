"""Attributes in clauses: checked by their declared type, null if absent or ill-typed, which the detail says."""

from typing import Any

import pytest

from infra.catalog.warnings import warnings
from shared.decisioning.compile import compile_catalog
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import no_longer_true
from shared.domain.errors import InvalidCatalog
from tests.support.builders import NOW, campaign, catalog, decide, moment, trigger, user, written
from tests.support.candidates import candidates_of

DECLARED = {
    "genres": {"type": "list"},
    "age": {"type": "number"},
    "fav-team": {"type": "string"},
    "2fa": {"type": "bool"},
    "status": {"type": "string"},
}


def sections(*clauses: str, **more: Any) -> dict[str, Any]:
    """The sections of a catalog whose only campaign has an audience of these clauses."""
    named = [{f"c{number}": text} for number, text in enumerate(clauses)]
    campaigns = {"upgrade": campaign(audience="wanted")}
    return {"attributes": DECLARED, "audiences": {"wanted": {"all": named}}, "campaigns": campaigns, **more}


def problems(*clauses: str, **more: Any) -> list[str]:
    try:
        compile_catalog(written(**sections(*clauses, **more)))
    except InvalidCatalog as refused:
        return refused.problems
    return []


def detail(*clauses: str, **attributes: Any) -> str | None:
    """The reason why a user with these attributes is not offered anything; None if the user is."""
    made = decide(catalog(**sections(*clauses)), user(attributes=attributes), [moment()])
    (candidate,) = candidates_of(made)
    assert candidate.reason in {None, "audience"}
    return candidate.detail


@pytest.mark.parametrize(
    ("clause", "attributes"),
    [
        ("'jazz' in profile.attributes.genres", {"genres": ["pop", "jazz"]}),
        ("3 in profile.attributes.genres", {"genres": ["pop", 3]}),
        ("profile.attributes.genres.exists(g, g == 'pop')", {"genres": ["pop"]}),
        ("profile.attributes.age >= 18", {"age": 18}),
        ("profile.attributes.age == 18", {"age": 18.0}),
        ("profile.attributes.age in [17, 18]", {"age": 18}),
        ("profile.attributes.age * 2.0 > 35.5", {"age": 18}),
        ("profile.attributes.fav-team == 'AIK'", {"fav-team": "AIK"}),
        ("profile.attributes['fav-team'].startsWith('A')", {"fav-team": "AIK"}),
        ("profile . attributes . age > 1", {"age": 2}),
        ("profile.attributes['2fa']", {"2fa": True}),
        ("!profile.attributes['2fa']", {"2fa": False}),
        ("profile.attributes.status == 'gold'", {"status": "gold"}),
        ("profile.attributes.age == null", {}),
        ("profile.attributes.age == null || profile.attributes.age > 3", {"age": 4}),
        ("profile.attributes.fav-team != 'AIK' // profile.attributes.other", {"fav-team": "HIF"}),
    ],
)
def test_a_clause_may_ask_for_an_attribute(clause: str, attributes: dict[str, Any]) -> None:
    assert problems(clause) == []
    assert detail(clause, **attributes) is None


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("profile.attributes.age > 3", "c0: UNKNOWN: No matching overloads found : _>_(null_type, int64)"),
        (
            "'x' in profile.attributes.genres",
            "c0: UNKNOWN: No matching overloads found : @in",
        ),
        ("profile.attributes.fav-team == 'AIK'", "c0"),
        ("profile.attributes['2fa']", "c0: expected BOOL, found NULL"),
    ],
)
def test_an_unknown_attribute_is_null_and_fails_the_clause_as_other_null_facts_do(
    clause: str, expected: str
) -> None:
    assert detail(clause) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("18", "expected a number, found a string of 2 characters"),
        (True, "expected a number, found a boolean"),
        ([18], "expected a number, found a list"),
    ],
)
def test_an_ill_typed_value_is_null_and_the_detail_says_what_was_expected_and_found(value: Any, told: str) -> None:
    found = detail("profile.attributes.age != null", age=value)
    assert found == f"c0 (profile.attributes.age: {told})"


@pytest.mark.parametrize(
    ("name", "value"), [("2fa", 1), ("fav-team", 3), ("genres", "jazz"), ("age", "x"), ("2fa", "true")]
)
def test_every_type_is_checked(name: str, value: Any) -> None:
    assert detail(f"profile.attributes['{name}'] == null", **{name: value}) is None


def test_only_the_candidate_whose_audience_asked_for_it_tells_of_an_ill_typed_value() -> None:
    both = sections("false")
    both["audiences"]["other"] = {"all": [{"old": "profile.attributes.age > 60"}]}
    both["campaigns"]["other"] = campaign(audience="other", placement="inbox")
    made = decide(catalog(**both), user(attributes={"age": "x"}), [moment()])
    details = {candidate.campaign_id: candidate.detail for candidate in candidates_of(made)}
    assert details["upgrade"] == "c0"
    assert str(details["other"]).endswith(
        "(profile.attributes.age: expected a number, found a string of 1 characters)"
    )


def test_an_attribute_that_the_catalog_does_not_declare_is_not_seen() -> None:
    assert detail("profile.attributes.age == null", level=3) is None


def test_an_open_trigger_is_revoked_once_an_attribute_no_longer_fits() -> None:
    """Its answer is kept by the values asked for, lists among them."""
    made = catalog(**sections("'jazz' in profile.attributes.genres", "profile.attributes.age > 3"))
    open_one = trigger(catalog_version=made.version)
    for genres, age, reasons in (
        (["jazz"], 4, {}),
        (["pop"], 4, {open_one.trigger_id: "audience"}),
        (["jazz"], "4", {open_one.trigger_id: "audience"}),
        (["jazz"], 4, {}),
    ):
        of = user(triggers=(open_one,), attributes={"genres": genres, "age": age})
        assert no_longer_true((open_one,), Situation(made, of), ()) == reasons


MISMATCH = "values that go together, not"
BY_NAME = "an attribute by its name (profile.attributes.NAME)"
NOT_HAS = "`!= null` instead of has()"
OTHER_TEAM = 'one of the attributes (fav-team?), found "profile.attributes.fav-tem"'
REFUSED = {
    "profile.attributes.ages > 3": 'one of the attributes (age?), found "profile.attributes.ages"',
    "profile.attributes['fav-tem'] == 'x'": OTHER_TEAM,
    "profile.attributes.fav-tem == 'x'": OTHER_TEAM,
    "profile.attributes.age > 'x'": f"{MISMATCH} double > string",
    "subscription.status == 'active' && profile.attributes.age == '18'": f"{MISMATCH} double == string",
    "profile.attributes.genres == 'jazz'": f"{MISMATCH} list == string",
    "profile.attributes.fav-team in ['a'] && profile.attributes.fav-team > 5": f"{MISMATCH} string > int",
    "profile.attributes.age + 1 > 3": f"{MISMATCH} double + int: a number beside a double is written with a point",
    "profile.attributes.fav-team < now": f"{MISMATCH} string < timestamp: timestamp(...) makes a time of text",
    "size(profile.attributes) > 3": BY_NAME,
    "'x' in profile.attributes": BY_NAME,
    "profile.attributes[subscription.plan] == 'x'": BY_NAME,
    "has(profile.attributes.age)": NOT_HAS,
    "has(profile.attributes.fav-team)": NOT_HAS,
}


@pytest.mark.parametrize(("clause", "expected"), REFUSED.items(), ids=REFUSED)
def test_a_clause_that_no_value_of_the_type_allows_is_refused_once(clause: str, expected: str) -> None:
    (told,) = problems(clause)
    assert told.startswith(f"audiences.wanted.all[0].c0: expected {expected}")


def test_an_attribute_is_missed_once_however_many_clauses_name_it() -> None:
    (told,) = problems(
        "profile.attributes.agee > 3", "profile.attributes.agee < 9", attributes={"age": {"type": "number"}}
    )
    assert told.endswith('found "profile.attributes.agee" (also in audiences.wanted.all[1].c1)')
    (told,) = problems("profile.attributes.age > 3", attributes={})
    assert told.endswith('one of the attributes, of which there are none, found "profile.attributes.age"')


def test_a_malformed_declaration_is_told_instead_of_what_names_it() -> None:
    (told,) = problems("profile.attributes.age > 3", attributes={"age": {"type": "strin"}})
    assert told == 'attributes.age.type: expected one of string, number, bool, list (string?), found "strin"'


@pytest.mark.parametrize(
    ("clauses", "number"),
    [
        (["profile.attributes.age > 3", "profile.attributes.age < 2"], 1),
        (["profile.attributes.age > 3 && profile.attributes['2fa']", "profile.attributes.status == 'a'"], 0),
        (["'x' in profile.attributes.genres", "!('x' in profile.attributes.genres)"], 0),
        (["profile.attributes.status == 'a'", "profile.attributes.status == 'b'"], 1),
        (["profile.attributes.age == null", "profile.attributes.age > 2"], 1),
    ],
)
def test_lint_warns_of_clauses_about_one_attribute_that_cannot_both_be_true(
    clauses: list[str], number: int
) -> None:
    assert len([*warnings(catalog(**sections(*clauses)).document, NOW)]) == number
