import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.decisioning.catalog import empty_catalog
from shared.decisioning.compile import MAX_CHARACTERS, MAX_PROBLEMS, compile_catalog
from shared.decisioning.document.schema import CampaignTerms
from shared.decisioning.document.vocabulary import AT_OFFSETS
from shared.domain.errors import InvalidCatalog
from shared.domain.moments import MILESTONES, MomentKind
from shared.domain.offsets import OFFSET_EXPECTED
from tests.support.builders import campaign, catalog, moment, written

ID = "1 to 64 letters, digits, _ or -, of which the first is a letter or digit"
TIME = "a time with its offset (2026-01-31T09:00:00Z)"
CLAUSE = "audiences.a.all[0].c"
UPGRADE = "campaigns.upgrade"
FIELDS = ", ".join(CampaignTerms.model_fields)


def problems(data: Any) -> list[str]:
    with pytest.raises(InvalidCatalog) as refused:
        compile_catalog(data)
    return refused.value.problems


def with_campaign(**terms: Any) -> dict[str, Any]:
    return written(campaigns={"upgrade": campaign(**terms)})


def with_clause(text: str) -> dict[str, Any]:
    return written(audiences={"a": {"all": [{"c": text}]}})


def test_a_valid_catalog_is_accepted() -> None:
    assert compile_catalog(written()).listening(moment())[0].id == "upgrade"


MALFORMED = {
    "a switch that is no boolean": (
        written(kill_switch="yes"),
        'kill_switch: expected true or false, found "yes"',
    ),
    "an unknown section": (
        written(campaings={}),
        "campaings: expected a known field (campaigns?), found {}",
    ),
    "an unknown field that resembles nothing": (
        with_campaign(xyzzy=1),
        f"{UPGRADE}.xyzzy: expected a known field ({FIELDS}), found 1",
    ),
    "an unknown field": (
        with_campaign(priorty=80),
        f"{UPGRADE}.priorty: expected a known field (priority?), found 80",
    ),
    "a section that is no object": (
        written(placements=["banner"], campaigns={}),
        'placements: expected an object, found ["banner"]',
    ),
    "an id with a space": (
        written(placements={"banner": {"channel": "in app"}}),
        f'placements.banner.channel: expected {ID}, found "in app"',
    ),
    "a key with a space": (
        written(
            offers={"annual": {"cms_ref": "x", "validity_hours": 1}, "b c": {"cms_ref": "x", "validity_hours": 1}}
        ),
        f'offers.b c: expected {ID}, found "b c"',
    ),
    "a missing field": (
        written(offers={"annual": {"cms_ref": "x"}}),
        "offers.annual.validity_hours: expected a value, found nothing",
    ),
    "an offer valid for no time": (
        written(offers={"annual": {"cms_ref": "x", "validity_hours": 0}}),
        "offers.annual.validity_hours: expected at least 1, found 0",
    ),
    "a number written as text": (
        with_campaign(priority="80"),
        f'{UPGRADE}.priority: expected a whole number, found "80"',
    ),
    "a priority above the scale": (
        with_campaign(priority=101),
        f"{UPGRADE}.priority: expected at most 100, found 101",
    ),
    "a cap that cannot be counted": (
        with_campaign(cap={"max": 33}),
        f"{UPGRADE}.cap[0].max: expected at most 32, found 33",
    ),
    "a cap of none": (
        with_campaign(cap=[{"max": 1}, {"max": 0, "window_days": 7}]),
        f"{UPGRADE}.cap[1].max: expected at least 1, found 0",
    ),
    "a cap that is a number": (
        with_campaign(cap=3),
        f"{UPGRADE}.cap: expected a cap such as {{max: 3}}, or a list of caps, found 3",
    ),
    "a moment there is not": (
        with_campaign(moments=["renewd"]),
        f'{UPGRADE}.moments[0]: expected one of {", ".join(MomentKind)} (renewed?), found "renewd"',
    ),
    "an offset of a moment that is no milestone": (
        with_campaign(moments=["renewed@3"]),
        (
            f"{UPGRADE}.moments[0]: expected renewed without an offset "
            f'(only {", ".join(sorted(AT_OFFSETS))} have one), found "renewed@3"'
        ),
    ),
    "a milestone with an offset that is no number": (
        with_campaign(moments=["lapsed@week"]),
        f'{UPGRADE}.moments[0]: expected {OFFSET_EXPECTED} after lapsed@, found "lapsed@week"',
    ),
    "a milestone with an offset of nothing": (
        with_campaign(moments=["lapsed@0h"]),
        f'{UPGRADE}.moments[0]: expected {OFFSET_EXPECTED} after lapsed@, found "lapsed@0h"',
    ),
    "a time without an offset": (
        with_campaign(starts_at="2026-01-31T09:00:00"),
        f'{UPGRADE}.starts_at: expected {TIME}, found "2026-01-31T09:00:00"',
    ),
    "a time that is only a date": (
        with_campaign(ends_at=date(2026, 1, 31)),
        f'{UPGRADE}.ends_at: expected {TIME}, found "2026-01-31"',
    ),
    "a time that is a number": (
        with_campaign(ends_at=1769850000),
        f"{UPGRADE}.ends_at: expected {TIME}, found 1769850000",
    ),
    "a milestone there is not": (
        written(milestones={"renewed": [1]}),
        f'milestones.renewed: expected one of {", ".join(sorted(MILESTONES))}, found "renewed"',
    ),
    "a milestone before it begins": (
        written(milestones={"lapsed": [7, 0]}),
        f"milestones.lapsed[1]: expected {OFFSET_EXPECTED}, found 0",
    ),
    "an offset with a fraction": (
        written(milestones={"lapsed": [1.5]}),
        f"milestones.lapsed[0]: expected {OFFSET_EXPECTED}, found 1.5",
    ),
    "an offset that is true": (
        written(milestones={"lapsed": [True]}),
        f"milestones.lapsed[0]: expected {OFFSET_EXPECTED}, found true",
    ),
    "an offset in weeks": (
        written(milestones={"lapsed": ["2w"]}),
        f'milestones.lapsed[0]: expected {OFFSET_EXPECTED}, found "2w"',
    ),
    "two clauses under one dash": (
        written(audiences={"a": {"any": [{"b": "true", "c": "true"}]}}),
        'audiences.a.any[0]: expected one name with its clause, found {"b": "true", "c": "true"}',
    ),
    "an empty clause": (with_clause(""), f'{CLAUSE}: expected at least 1 character, found ""'),
    "a clause too long": (
        with_clause("true" + " " * 997),
        f'{CLAUSE}: expected at most 1000 characters, found "true{" " * 95}…',
    ),
}


@pytest.mark.parametrize(("data", "expected"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_named_with_path_and_value(data: dict[str, Any], expected: str) -> None:
    assert problems(data) == [expected]


INCONSISTENT = {
    "an unknown offer": (
        with_campaign(offer="anual"),
        f'{UPGRADE}.offer: expected one of the offers (annual?), found "anual"',
    ),
    "an unknown placement": (
        with_campaign(placement="tv"),
        f'{UPGRADE}.placement: expected one of the placements, found "tv"',
    ),
    "an unknown audience": (
        with_campaign(audience="loyal"),
        f'{UPGRADE}.audience: expected one of the audiences, of which there are none, found "loyal"',
    ),
    "an end before the start": (
        with_campaign(starts_at="2026-02-01T00:00:00Z", ends_at="2026-02-01T00:00:00Z"),
        (
            f"{UPGRADE}.ends_at: expected a time after starts_at (2026-02-01T00:00:00+00:00), "
            'found "2026-02-01T00:00:00+00:00"'
        ),
    ),
    "two caps of one window": (
        with_campaign(cap=[{"max": 1, "window_days": 7}, {"max": 2, "window_days": 7}]),
        f"{UPGRADE}.cap[1].window_days: expected each window once, found 7",
    ),
    "no moment": (
        with_campaign(moments=[]),
        f"{UPGRADE}.moments: expected at least one moment, found []",
    ),
    "a moment twice": (
        with_campaign(moments=["renewed", "renewed"]),
        f'{UPGRADE}.moments[1]: expected each moment once, found "renewed"',
    ),
    "a milestone at one offset twice, in other units": (
        with_campaign(moments=["lapsed@168h", "lapsed@7"]),
        f'{UPGRADE}.moments[1]: expected each moment once, found "lapsed@7"',
    ),
    "a milestone with and without its offset": (
        with_campaign(moments=["lapsed@7", "lapsed"]),
        f'{UPGRADE}.moments[0]: expected each moment once, found "lapsed@7"',
    ),
    "a moment at one offset twice, beside itself": (
        with_campaign(moments=["activated", "activated@7", "activated@7d"]),
        f'{UPGRADE}.moments[2]: expected each moment once, found "activated@7d"',
    ),
    "more offsets than a document remembers": (
        written(
            milestones={"activated": [1, 2, 3]},
            campaigns={"upgrade": campaign(moments=[f"activated@{days}" for days in range(3, 18)])},
        ),
        "milestones.activated: expected at most 16 offsets, with those that campaigns name, found 17",
    ),
    "a milestone that never comes": (
        written(milestones={}, campaigns={"upgrade": campaign(moments=["lapsed"])}),
        (
            f"{UPGRADE}.moments[0]: expected lapsed with an offset (lapsed@3d), or offsets in milestones.lapsed, "
            'found "lapsed"'
        ),
    ),
    "an offset twice": (
        written(milestones={"lapsed": [7, 30, "168h"]}),
        'milestones.lapsed[2]: expected each offset once, found "7d"',
    ),
    "an audience of both kinds": (
        written(audiences={"a": {"all": [{"c": "true"}], "any": [{"c": "true"}]}}),
        (
            "audiences.a: expected clauses under either all or any, "
            'found {"all": [{"c": "true"}], "any": [{"c": "true"}]}'
        ),
    ),
    "an audience of no clause": (
        written(audiences={"a": {}}),
        "audiences.a: expected clauses under all or any, or audiences under all_of, any_of or none_of, found {}",
    ),
    "a clause name twice": (
        written(audiences={"a": {"all": [{"c": "true"}, {"c": "false"}]}}),
        'audiences.a.all[1].c: expected each name once, found "c"',
    ),
    "a misspelt field": (
        with_clause("subscription.stauts == 'active'"),
        (
            f"{CLAUSE}: expected a known field instead of subscription.stauts (subscription.status?), "
            "found \"subscription.stauts == 'active'\""
        ),
    ),
    "a signal there is not": (
        with_clause("signals.boredom.count > 1"),
        f'{CLAUSE}: expected a known field instead of signals.boredom.count, found "signals.boredom.count > 1"',
    ),
    "a name from nowhere": (
        with_clause("plan == 'x'"),
        f"{CLAUSE}: expected a known field instead of plan, found \"plan == 'x'\"",
    ),
    "a misspelt field of one of several subscriptions": (
        with_clause("subscriptions.exists(s, s.plan == 's.x' && s.stauts == 'active')"),
        (
            f"{CLAUSE}: expected a known field instead of subscription.stauts (subscription.status?), "
            "found \"subscriptions.exists(s, s.plan == 's.x' && s.stauts == 'active')\""
        ),
    ),
    "a comparison that cannot be made": (
        with_clause("subscription.status == 3"),
        (
            f"{CLAUSE}: expected valid CEL (column 21: found no matching overload for '_==_' applied to "
            "'(string, int)'), found \"subscription.status == 3\""
        ),
    ),
    "a clause that is no question": (
        with_clause("subscription.recent_payments + 1"),
        f'{CLAUSE}: expected a clause that is true or false, not INT, found "subscription.recent_payments + 1"',
    ),
    "a presence test of what is always there": (
        with_clause("has(subscription.plan)"),
        (
            f"{CLAUSE}: expected `!= null` instead of has(), since these fields are always there, "
            'found "has(subscription.plan)"'
        ),
    ),
    "a loop in a loop": (
        with_clause("[1].all(a, [2].all(b, a < b))"),
        (
            f"{CLAUSE}: expected one loop at most (all, exists, exists_one, filter, map), "
            'found "[1].all(a, [2].all(b, a < b))"'
        ),
    ),
}


@pytest.mark.parametrize(("data", "expected"), INCONSISTENT.values(), ids=INCONSISTENT)
def test_what_contradicts_is_named_with_path_and_value(data: dict[str, Any], expected: str) -> None:
    assert problems(data) == [expected]


def test_a_syntax_error_is_named_with_its_column() -> None:
    (problem,) = problems(with_clause("subscription.plan =="))
    assert problem.startswith(f"{CLAUSE}: expected valid CEL (column 21: Syntax error")


@pytest.mark.parametrize("clause", ["(" * 500, "!" * 999 + "x", "[" * 400 + "]" * 400, "a." * 400 + "b"])
def test_a_hostile_clause_is_refused_and_nothing_worse(clause: str) -> None:
    assert len(problems(with_clause(clause))) == 1


@pytest.mark.parametrize("data", [None, [], "catalog", 7])
def test_a_catalog_that_is_no_object_is_refused(data: Any) -> None:
    assert problems(data) == [f"catalog: expected an object, found {json.dumps(data)}"]


def test_a_catalog_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["offers"] = loop
    assert problems(loop) == ["catalog: expected JSON, found something else (Circular reference detected)"]


def test_a_catalog_that_is_no_valid_unicode_is_refused() -> None:
    (problem,) = problems({"offers": {"\ud800": {}}})
    assert problem.startswith("catalog: expected JSON that can be read, found a mistake (")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_catalog_too_deep_to_read_is_refused(depth: int) -> None:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    (problem,) = problems({"offers": value})
    assert problem == "catalog: expected at most 32 levels of nesting, found more"


def test_a_catalog_too_large_to_store_is_refused() -> None:
    data = written(offers={"annual": {"cms_ref": "x" * MAX_CHARACTERS, "validity_hours": 1}})
    (problem,) = problems(data)
    assert problem.startswith(f"catalog: expected at most {MAX_CHARACTERS} characters, found more")


def test_too_many_campaigns_are_refused() -> None:
    (problem,) = problems(written(campaigns={f"c{number}": campaign() for number in range(501)}))
    assert problem.startswith("campaigns: expected at most 500 entries, found 501")


def test_all_problems_are_reported_at_once() -> None:
    data = written(
        offers={"annual": {"cms_ref": "x", "validity_hours": -1}},
        audiences={"a": {"all": [{"c": "1 + 1"}]}},
        campaigns={"first": campaign(priority=None), "second": campaign(placement="tv")},
    )
    assert [problem.split(":")[0] for problem in problems(data)] == [
        "offers.annual.validity_hours",
        "campaigns.first.priority",
        "audiences.a.all[0].c",
        "campaigns.second.placement",
    ]


def test_who_refers_to_a_malformed_part_is_not_blamed() -> None:
    found = problems(written(offers={"annual": {"cms_ref": 7, "validity_hours": 1}}))
    assert found == ["offers.annual.cms_ref: expected text, in quotes, found 7"]


def test_a_hostile_number_of_problems_is_cut_short() -> None:
    assert len(problems({f"unknown{number}": 1 for number in range(5000)})) == MAX_PROBLEMS
    repeated = {f"c{number}": campaign(moments=["renewed"] * 32) for number in range(100)}
    assert len(problems(written(campaigns=repeated))) == MAX_PROBLEMS


def test_the_error_lists_every_problem_on_its_own_line() -> None:
    with pytest.raises(InvalidCatalog, match=r"^invalid catalog:\n  kill_switch: .*\n  more: "):
        compile_catalog(written(kill_switch=1, more=2))


def test_the_version_is_of_the_content_and_not_of_its_order() -> None:
    data = written(campaigns={"a": campaign(), "b": campaign()})
    turned = {section: dict(reversed(entries.items())) for section, entries in reversed(data.items())}
    assert compile_catalog(turned).version == compile_catalog(data).version


def test_a_default_written_out_is_the_same_version() -> None:
    assert compile_catalog(with_campaign(state="live", cap=[])).version == catalog().version


def test_a_version_outlives_new_optional_fields_since_defaults_are_not_stored() -> None:
    assert "state" not in compile_catalog(with_campaign(state="live")).to_json()


def test_one_cap_and_a_list_of_one_are_the_same() -> None:
    assert compile_catalog(with_campaign(cap={"max": 2})) == compile_catalog(with_campaign(cap=[{"max": 2}]))


@pytest.mark.parametrize(
    "change",
    [{"kill_switch": True}, {"milestones": {"lapsed": [7]}}, {"campaigns": {"upgrade": campaign(priority=51)}}],
)
def test_any_change_is_another_version(change: dict[str, Any]) -> None:
    assert catalog(**change).version != catalog().version


def test_a_catalog_survives_being_stored() -> None:
    original = catalog(
        kill_switch=True,
        audiences={"a": {"any": [{"c": "subscription.plan == 'ä'"}]}},
        campaigns={"upgrade": campaign(audience="a", cap={"max": 1}, starts_at=datetime(2026, 1, 31, tzinfo=UTC))},
    )
    again = compile_catalog(json.loads(original.to_json()))
    assert again == original
    assert again.document == original.document
    assert again.to_json() == original.to_json()


def test_keys_that_yaml_reads_as_numbers_are_ids_all_the_same() -> None:
    assert catalog(campaigns={2026: campaign()}).listening(moment())[0].id == "2026"


def test_every_milestone_has_its_offsets_even_if_none() -> None:
    offsets = dict.fromkeys(MILESTONES, ()) | {MomentKind.LAPSED: (timedelta(days=30), timedelta(hours=36))}
    assert catalog(milestones={"lapsed": [30, "36h"]}).milestones == offsets
    assert set(empty_catalog().milestones) == MILESTONES


def test_the_offsets_of_a_milestone_are_those_of_the_map_and_of_the_moments() -> None:
    campaigns = {
        "upgrade": campaign(moments=["lapsed@14", "lapsed@36h", "lapsed@7d"]),
        "second": campaign(moments=["lapsed@14d", "activated@7", "renewed"]),
    }
    offsets = catalog(milestones={"lapsed": [30, 7]}, campaigns=campaigns).milestones
    assert offsets[MomentKind.LAPSED] == tuple(timedelta(days=days) for days in (30, 7, 1.5, 14))
    assert offsets[MomentKind.ACTIVATED] == (timedelta(days=7),)
    assert not any(offsets[kind] for kind in MILESTONES - {MomentKind.LAPSED, MomentKind.ACTIVATED})


def test_one_offset_in_days_or_in_hours_gives_one_catalog() -> None:
    in_days, in_hours = (catalog(milestones={"lapsed": [offset]}) for offset in (7, "168h"))
    assert in_days == in_hours
    assert json.loads(in_hours.to_json())["milestones"] == {"lapsed": [7]}


def test_an_offset_in_hours_is_written_as_it_was_given() -> None:
    written_out = catalog(milestones={"lapsed": [1, "36h"]}).to_json()
    assert json.loads(written_out)["milestones"] == {"lapsed": [1, "36h"]}
    assert compile_catalog(json.loads(written_out)).milestones["lapsed"][1] == timedelta(hours=36)


def test_to_the_empty_catalog_nobody_listens() -> None:
    assert compile_catalog({}) == empty_catalog()
    assert not any(empty_catalog().listening(moment(kind)) for kind in MomentKind)


def test_a_campaign_listens_to_the_offset_it_names() -> None:
    listening = catalog(campaigns={"upgrade": campaign(moments=["lapsed@7"])}).listening
    assert listening(moment(MomentKind.LAPSED, offset=7))
    assert not listening(moment(MomentKind.LAPSED, offset=30))


def test_a_campaign_that_names_no_offset_listens_to_all() -> None:
    listening = catalog(campaigns={"upgrade": campaign(moments=["lapsed"])}).listening
    assert listening(moment(MomentKind.LAPSED, offset=7))
    assert listening(moment(MomentKind.LAPSED, offset=30))
    assert not listening(moment(MomentKind.EXPIRED))


def test_a_moment_without_its_offset_is_that_of_the_map_and_no_other() -> None:
    campaigns = {"upgrade": campaign(moments=["lapsed"]), "second": campaign(moments=["lapsed@14", "activated"])}
    listening = catalog(milestones={"lapsed": [7], "activated": [3]}, campaigns=campaigns).listening
    heard = {
        (kind, offset): [one.id for one in listening(moment(kind, offset=offset))]
        for kind, offset in [
            (MomentKind.LAPSED, 7),
            (MomentKind.LAPSED, 14),
            (MomentKind.ACTIVATED, None),
            (MomentKind.ACTIVATED, 3),
        ]
    }
    assert [*heard.values()] == [["upgrade"], ["second"], ["second"], []]


def test_a_few_lists_that_stand_for_millions_are_refused_before_they_are_written_out() -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(30):
        laughs = [laughs] * 9
    assert problems({"offers": laughs}) == [f"catalog: expected at most {MAX_CHARACTERS} characters, found more"]


def test_who_refers_to_a_malformed_section_is_not_blamed() -> None:
    assert problems(written(placements=["banner"])) == ['placements: expected an object, found ["banner"]']


def test_an_unknown_field_is_told_with_those_of_its_own_part() -> None:
    fields = "max, window_days, calendar_days, event, scope"
    assert problems(with_campaign(cap={"max": 1, "priority": 3})) == [
        f"{UPGRADE}.cap[0].priority: expected a known field ({fields}), found 3"
    ]


def test_every_default_written_out_is_the_same_version() -> None:
    short = catalog(
        experiments={"e": experiment()},
        holdouts={"h": {"percent": 5}},
        scores={"risk": {"version": 1}},
        campaigns={
            "upgrade": campaign(experiment="e", cap={"max": 1}, cool_down_hours=24, suppress_on="dismissed"),
            "night": campaign(quiet_hours={"start": "22:00", "end": "08:00"}, rank={"score": "risk"}),
        },
    )
    long = json.loads(short.document.model_dump_json())
    assert len(json.dumps(long)) > 2 * len(short.to_json())
    assert compile_catalog(long).version == short.version


def experiment(*offers: str | None, **terms: Any) -> dict[str, Any]:
    offers = offers or ("annual", None)
    named = [{"id": f"v{index}", "offer": offer, "weight": 1 / len(offers)} for index, offer in enumerate(offers)]
    return {"variants": named, **terms}


def with_experiments(**experiments: Any) -> dict[str, Any]:
    return written(experiments=experiments)


def test_one_salt_is_no_mistake_where_a_namespace_keeps_the_users_apart() -> None:
    first, second = ({"id": "prices", "start": start, "end": start + 0.5} for start in (0, 0.5))
    assert compile_catalog(
        with_experiments(a=experiment(salt="s", namespace=first), b=experiment(salt="s", namespace=second))
    )
    (problem,) = problems(with_experiments(a=experiment(salt="b"), b=experiment()))
    assert (
        problem
        == 'experiments.b.salt: expected another salt than that of a, whose split this would repeat, found "b"'
    )


OFFER = {"cms_ref": "x", "validity_hours": 1}


@pytest.mark.parametrize(
    ("own", "other", "fits"),
    [
        ([], [], True),
        (["basic"], [], True),
        (["basic"], ["basic", "family"], True),
        ([], ["basic"], False),
        (["basic", "family"], ["basic"], False),
    ],
)
def test_a_variant_is_open_to_all_users_of_its_campaign(own: list[str], other: list[str], fits: bool) -> None:
    data = written(
        offers={"annual": {**OFFER, "plans_from": own}, "family": {**OFFER, "plans_from": other}},
        experiments={"e": experiment("annual", "family")},
        campaigns={"upgrade": campaign(experiment="e")},
    )
    if fits:
        assert compile_catalog(data)
    else:
        (problem,) = problems(data)
        assert problem.startswith(
            "experiments.e.variants[1].offer: expected an offer open to all plans that annual"
        )


@pytest.mark.parametrize(("state", "fits"), [("running", False), ("stopped", True), ("draft", True)])
def test_a_running_experiment_shows_what_is_approved(state: str, fits: bool) -> None:
    offers = {"annual": OFFER, "family": {**OFFER, "status": "draft"}}
    data = written(offers=offers, experiments={"e": experiment("annual", "family", state=state)})
    assert fits or problems(data)
    assert not fits or compile_catalog(data)


def test_a_moment_that_a_score_raises_can_be_listened_to() -> None:
    raises = {"moment": "churn_risk.raised", "at_least": 0.6, "rearm_below": 0.6}
    assert catalog(
        scores={"risk": {"version": 1, "raises": raises}},
        campaigns={"upgrade": campaign(moments=["churn_risk.raised"])},
    ).listening(moment(MomentKind.CHURN_RISK_RAISED))


@pytest.mark.parametrize(
    "clause",
    [
        "scores.risk > 0.5",
        'scores["risk"] > 0.5',
        "has(scores.risk) && scores.risk > 0.5",
        "features.status == 'gold'",
        "features.premium",
        "profile.student",
        "100 / subscription.recent_payments > 3",
        "subscriptions[3].plan == 'basic'",
        "timestamp(subscription.cancel_at) < now",
        "subscription.status in ['active', \"grace\"]",
        "subscription.plan.matches('^basic')",
        "subscription.plan == 'all of the map'",
    ],
)
def test_what_can_be_answered_is_accepted(clause: str) -> None:
    scores = {"risk": {"version": 1}}
    features = {
        name: {"type": type_, "max_age_hours": 24}
        for name, type_ in {"status": "string", "premium": "bool"}.items()
    }
    assert catalog(scores=scores, features=features, audiences={"a": {"all": [{"c": clause}]}})


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("scores.risk", "expected a clause that is true or false, not DOUBLE"),
        ("signals.inactivity.strength", "expected a clause that is true or false, not DOUBLE"),
        ("subscription.plan ? true : false", "expected values that go together, not <jump_condition>"),
        ("scores.risk > 'high'", "expected values that go together, not double > string"),
        ("subscription.status == 'activ'", "none (active?) instead of the status 'activ'"),
        ("subscriptions.exists(s, s.status != 'gone')", "instead of the status 'gone'"),
        ("scores['rsk'] > 0.5", "expected one of the scores (risk?)"),
    ],
)
def test_what_can_never_be_answered_is_refused(clause: str, expected: str) -> None:
    scores = {"risk": {"version": 1}}
    (problem,) = problems(written(scores=scores, audiences={"a": {"all": [{"c": clause}]}}))
    assert expected in problem
