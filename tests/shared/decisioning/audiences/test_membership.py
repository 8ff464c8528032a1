"""Audiences composed of others: who is in them, what fails the others, and who is known to be in none of them."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.decisioning.audiences import audience as audiences_module
from shared.decisioning.audiences import membership
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog
from shared.domain.events import Signal
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import Subscription
from shared.domain.user import User
from tests.support.builders import ago, campaign, catalog, decide, moment, user, written
from tests.support.candidates import candidates_of

Entry = dict[str, Any]
NEVER_SEEN = Subscription("main")
SIMPLE: dict[str, Entry] = {
    "live": {"all": [{"is_live": "subscription.live"}]},
    "germans": {"all": [{"from_germany": "profile.country == 'DE'"}]},
    "nordic": {"any": [{"swede": "profile.country == 'SE'"}, {"dane": "profile.country == 'DK'"}]},
    "students": {"all": [{"is_student": "profile.student"}, {"is_live": "subscription.live"}]},
    "known": {"all": [{"has_country": "profile.country != null"}]},
    "erring": {"all": [{"division": "1 / 0 == 1"}]},
    "high": {"all": [{"score": "scores.churn-risk > 0.5"}]},
}


def detail(entry: Entry, of: User, **more: Entry) -> str | None:
    """The detail of the only candidate, whose audience is `entry`; None if the user is in it."""
    sections = {"audiences": {**SIMPLE, **more, "wanted": entry}, "scores": {"churn-risk": {"version": 1}}}
    made = catalog(**sections, campaigns={"upgrade": campaign(audience="wanted")})
    (candidate,) = candidates_of(decide(made, of, [moment()]))
    assert candidate.reason in {None, "audience"}
    return candidate.detail


def problems(audiences: dict[str, Entry], **sections: Any) -> list[str]:
    try:
        compile_catalog(written(audiences=audiences, **sections))
    except InvalidCatalog as refused:
        return refused.problems
    return []


GERMAN, SWEDE, NOBODY = user(country="DE"), user(country="SE", student=False), user(NEVER_SEEN)


@pytest.mark.parametrize(
    ("entry", "of", "expected"),
    [
        ({"all_of": ["live", "germans"]}, GERMAN, None),
        ({"all_of": ["live", "germans"]}, SWEDE, "germans.from_germany"),
        ({"all_of": ["live", "germans"]}, NOBODY, "live.is_live"),
        ({"any_of": ["germans", "nordic"]}, GERMAN, None),
        ({"any_of": ["germans", "nordic"]}, SWEDE, None),
        ({"any_of": ["germans", "nordic"]}, user(country="FR"), "germans.from_germany"),
        ({"any_of": ["germans", "nordic"]}, user(), "germans.from_germany"),
        ({"none_of": ["germans", "nordic"]}, user(country="FR"), None),
        ({"none_of": ["germans", "nordic"]}, SWEDE, "none_of.nordic"),
        ({"none_of": ["germans"]}, user(), "none_of.germans.from_germany: profile.country unknown"),
        ({"none_of": ["nordic"]}, user(), "none_of.nordic.swede: profile.country unknown"),
        ({"all": [{"own": "subscription.live"}], "all_of": ["germans"]}, GERMAN, None),
        ({"all": [{"own": "!subscription.live"}], "all_of": ["germans"]}, SWEDE, "own"),
        ({"any": [{"own": "!subscription.live"}], "none_of": ["germans"]}, SWEDE, "own"),
        ({"all_of": ["live"], "any_of": ["nordic"], "none_of": ["germans"]}, SWEDE, None),
        ({"all_of": ["erring"]}, GERMAN, "erring.division: INVALID_ARGUMENT: divide by zero"),
        ({"any_of": ["erring", "live"]}, GERMAN, None),
        ({"none_of": ["erring"]}, GERMAN, "none_of.erring.division: INVALID_ARGUMENT: divide by zero"),
    ],
)
def test_a_user_is_in_every_part_or_the_audience_and_the_clause_that_fail_are_named(
    entry: Entry, of: User, expected: str | None
) -> None:
    assert detail(entry, of) == expected


def test_audiences_may_be_within_each_other() -> None:
    inner = {"any_of": ["germans", "nordic"]}
    assert detail({"all_of": ["inner"], "none_of": ["students"]}, SWEDE, inner=inner) is None
    assert detail({"all_of": ["inner"]}, user(country="FR"), inner=inner) == "inner.germans.from_germany"
    assert detail({"none_of": ["inner"]}, user(country="FR"), inner=inner) is None
    unknown = "none_of.inner.germans.from_germany: profile.country unknown"
    assert detail({"none_of": ["inner"]}, user(), inner=inner) == unknown
    assert detail({"none_of": ["outside"]}, GERMAN, outside={"none_of": ["germans"]}) is None
    assert detail({"none_of": ["outside"]}, user(), outside={"none_of": ["germans"]}) is not None


def test_a_fact_that_is_never_null_decides_although_others_are_unknown() -> None:
    """Whoever is not live is no live student, whether a student or not."""
    assert detail({"none_of": ["students"]}, NOBODY) is None
    assert detail({"none_of": ["students"]}, user()) == "none_of.students.is_student: profile.student unknown"


def test_a_clause_that_compares_with_null_says_itself_what_null_means() -> None:
    assert detail({"none_of": ["known"]}, user()) is None
    assert detail({"none_of": ["known"]}, GERMAN) == "none_of.known"
    explicit = {"all": [{"c": "profile.country != null && profile.country == 'DE'"}]}
    assert detail({"none_of": ["explicit"]}, user(), explicit=explicit) is None


def test_a_signal_that_was_never_seen_is_known_by_its_count() -> None:
    quiet = {"all": [{"c": "signals.inactivity.count > 0 && signals.inactivity.days_since < 14"}]}
    assert detail({"none_of": ["quiet"]}, user(), quiet=quiet) is None
    seen = user(signals=(BehaviouralSignal(Signal.INACTIVITY, ago(days=2), "", ""),))
    assert detail({"none_of": ["quiet"]}, seen, quiet=quiet) == "none_of.quiet"


def test_a_score_without_a_value_is_unknown_and_says_why() -> None:
    told = detail({"none_of": ["high"]}, user())
    assert (
        told == 'none_of.high.score: NOT_FOUND: Key not found in map : "churn-risk"'
        " (score churn-risk version 1: no such artifact)"
    )


def test_null_fields_of_several_subscriptions_are_unknown_too() -> None:
    some = {"all": [{"c": "subscriptions.exists(s, s.store == 'stripe')"}]}
    assert detail({"none_of": ["some"]}, user(), some=some) is not None
    asked = {"all": [{"c": "subscriptions.exists(s, s.store != null && s.store == 'stripe')"}]}
    assert detail({"none_of": ["some"]}, user(), some=asked) is None


def test_an_unknown_attribute_is_unknown_and_an_ill_typed_one_says_so() -> None:
    sections = {
        "attributes": {"fav-team": {"type": "string"}},
        "audiences": {
            "fans": {"all": [{"of_aik": "profile.attributes.fav-team == 'AIK'"}]},
            "wanted": {"none_of": ["fans"]},
        },
        "campaigns": {"upgrade": campaign(audience="wanted")},
    }
    made = catalog(**sections)
    details = [
        candidates_of(decide(made, user(attributes=given), [moment()]))[0].detail
        for given in ({"fav-team": "HIF"}, {"fav-team": "AIK"}, {}, {"fav-team": 3})
    ]
    unknown = "none_of.fans.of_aik: profile.attributes.fav-team unknown"
    ill_typed = f"{unknown} (profile.attributes.fav-team: expected a string, found an integer)"
    assert details == [None, "none_of.fans", unknown, ill_typed]


CLAUSES = (
    "profile.country == 'DE'",
    "profile.country != 'DE'",
    "profile.student",
    "!profile.student || profile.country == 'SE'",
    "profile.student == true && subscription.live",
    "profile.country in ['SE', 'DE']",
    "profile.locale.startsWith('de')",
    "subscription.live",
    "1 / 0 == 1",
)
VALUES = {"country": ("DE", "SE", "FR"), "student": (True, False), "locale": ("de-DE", "sv-SE")}
NAMES = "abcdef"


@st.composite
def audiences(draw: st.DrawFn) -> dict[str, Entry]:
    """Audiences `a` to `f`, each composed of earlier ones only."""
    made: dict[str, Entry] = {}
    for place, name in enumerate(NAMES):
        texts = draw(st.lists(st.sampled_from(CLAUSES), max_size=2, min_size=0 if place else 1))
        entry: Entry = {draw(st.sampled_from(["all", "any"])): [{f"c{n}": text} for n, text in enumerate(texts)]}
        others = draw(st.permutations(NAMES[:place])) if place else []
        for field in ("all_of", "any_of", "none_of"):
            entry[field] = [others.pop() for _ in range(draw(st.integers(0, min(2, len(others)))))]
        if not texts and not any(entry[field] for field in ("all_of", "any_of", "none_of")):
            entry = {"all": [{"c0": "subscription.live"}]}
        made[name] = entry
    return made


def is_in(name: str, known: dict[str, Entry], of: User) -> bool:
    """Membership by the rules as they are written, one part after the other, for a user without null facts."""
    entry = known[name]
    alone = {"wanted": {quantifier: entry.get(quantifier, []) for quantifier in ("all", "any")}}
    has_clauses = entry.get("all") or entry.get("any")
    made = has_clauses and catalog(audiences=alone, campaigns={"upgrade": campaign(audience="wanted")})
    own = not made or bool(decide(made, of, [moment()]).issued)
    return (
        own
        and all(is_in(one, known, of) for one in entry.get("all_of", ()))
        and (not entry.get("any_of") or any(is_in(one, known, of) for one in entry["any_of"]))
        and not any(is_in(one, known, of) or errs(one, known) for one in entry.get("none_of", ()))
    )


def errs(name: str, known: dict[str, Entry]) -> bool:
    """True if a clause within the audience may be an error, so that membership is never known."""
    entry = known[name]
    within = [*entry.get("all_of", ()), *entry.get("any_of", ()), *entry.get("none_of", ())]
    texts = [text for field in ("all", "any") for each in entry.get(field, ()) for text in each.values()]
    return "1 / 0 == 1" in texts or any(errs(one, known) for one in within)


some_audiences = audiences().filter(lambda known: not problems(known))
no_errors = some_audiences.filter(lambda known: not any(errs(name, known) for name in NAMES))


@settings(max_examples=25)
@given(no_errors, st.sampled_from([*product(*VALUES.values())]))
def test_for_a_user_of_whom_all_is_known_the_parts_decide_as_they_are_written(
    known: dict[str, Entry], values: tuple[Any, ...]
) -> None:
    of = user(**dict(zip(VALUES, values, strict=True)))
    for name in NAMES:
        made = catalog(audiences=known, campaigns={"upgrade": campaign(audience=name)})
        assert bool(decide(made, of, [moment()]).issued) == is_in(name, known, of)


@settings(max_examples=50)
@given(some_audiences, st.data())
def test_whoever_is_in_none_of_an_audience_would_be_whatever_the_unknown_facts_are(
    known: dict[str, Entry], data: st.DataObject
) -> None:
    facts = {name: data.draw(st.sampled_from([None, *values])) for name, values in VALUES.items()}
    wanted = {"none_of": [data.draw(st.sampled_from(NAMES[:3]))]}
    if detail(wanted, user(**facts), **known) is not None:
        return
    ways = [values if facts[name] is None else (facts[name],) for name, values in VALUES.items()]
    for values in product(*ways):
        assert detail(wanted, user(**dict(zip(VALUES, values, strict=True))), **known) is None


def test_each_clause_is_evaluated_once_however_many_audiences_contain_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = audiences_module._evaluate_together
    monkeypatch.setattr(
        audiences_module, "_evaluate_together", lambda some, facts: (asked.append(len(some)), real(some, facts))[1]
    )
    composed = {
        "live": SIMPLE["live"],
        "germans": SIMPLE["germans"],
        "x": {"all_of": ["live", "germans"]},
        "y": {"any_of": ["live", "germans"], "all_of": ["x"]},
        "z": {"all_of": ["y"], "any_of": ["x"]},
    }
    terms = {
        f"c{name}": campaign(audience=name, placement=place)
        for name, place in zip("xyz", ("banner", "inbox", "banner"), strict=True)
    }
    made = catalog(audiences=composed, campaigns=terms)
    assert len(candidates_of(decide(made, GERMAN, [moment()]))) == 3
    assert asked == [2]
    assert membership._parts_of(tuple(one.audience for one in made.campaigns.values() if one.audience))


LIVE = SIMPLE["live"]
REFUSED = {
    "a dangling name": (
        {"a": {"all_of": ["liv"]}, "live": LIVE},
        'audiences.a.all_of[0]: expected one of the audiences (live?), found "liv"',
    ),
    "a cycle": (
        {"a": {"all_of": ["live", "b"]}, "b": {"none_of": ["c"]}, "c": {"any_of": ["a"]}, "live": LIVE},
        'audiences.a.all_of[1]: expected an audience that does not contain a (a > b > c > a), found "b"',
    ),
    "itself": (
        {"a": {"none_of": ["a"]}},
        'audiences.a.none_of[0]: expected an audience that does not contain a (a > a), found "a"',
    ),
    "what leads into a cycle": (
        {"x": {"all_of": ["a"]}, "a": {"none_of": ["a"]}},
        'audiences.a.none_of[0]: expected an audience that does not contain a (a > a), found "a"',
    ),
    "one named twice": (
        {"a": {"all_of": ["live"], "none_of": ["live"]}, "live": LIVE},
        'audiences.a.none_of[0]: expected each audience once, found "live"',
    ),
    "too deep": (
        {f"a{n}": {"all_of": [f"a{n + 1}"]} for n in range(499)} | {"a499": LIVE},
        "audiences.a495: expected at most 4 audiences within each other, found 5",
    ),
    "too large": (
        {"x": {"all_of": ["a"]}, "a": {"any_of": [f"m{n}" for n in range(5)]}}
        | {f"m{n}": {"all": [{f"c{m}": "true"} for m in range(16)]} for n in range(5)},
        "audiences.a: expected at most 64 clauses with those of its audiences, found 80",
    ),
    "nothing at all": (
        {"a": {"all_of": []}},
        "audiences.a: expected clauses under all or any, or audiences under all_of, any_of or none_of, found {}",
    ),
    "a misspelt field": (
        {"a": {"non_of": ["live"]}, "live": LIVE},
        'audiences.a.non_of: expected a known field (none_of?), found ["live"]',
    ),
    "too many": (
        {"a": {"all_of": [f"m{n}" for n in range(17)]}, **{f"m{n}": LIVE for n in range(17)}},
        "audiences.a.all_of: expected at most 16 entries, found 17",
    ),
}


@pytest.mark.parametrize(("known", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_in_composing_is_told_once(known: dict[str, Entry], told: str) -> None:
    assert problems(known) == [told]


def test_as_deep_and_as_large_as_allowed_is_valid() -> None:
    deep = {f"a{n}": {"all_of": [f"a{n + 1}"]} for n in range(3)} | {"a3": LIVE}
    large = {"a": {"any_of": [f"m{n}" for n in range(4)]}}
    members = {f"m{n}": {"all": [{f"c{m}": "true"} for m in range(16)]} for n in range(4)}
    assert problems(deep) == problems(large | members) == []
