"""What a replay writes serves analysts: every field is filled somewhere, and all messages join."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from infra.generate.asyncapi import DOCS
from infra.replay.journal import FILES
from shared.contracts.topics import Topic
from tests.support import artifacts
from tests.support.replays import GARBAGE, Outcome, at, event, feedback, payment, run, trial

pytestmark = pytest.mark.slow

CATALOG: dict[str, Any] = {
    "placements": {
        "banner": {"channel": "in_app"},
        "page": {"channel": "in_app", "holds": "decision"},
        "inbox": {"channel": "email", "holds": "decision"},
        "push": {"channel": "push", "holds": "decision"},
    },
    "offers": {
        "annual": {"cms_ref": "o/annual", "price_ref": "p1", "plan_to": "premium_annual", "validity_hours": 72},
        "half": {"cms_ref": "o/half", "validity_hours": 72},
    },
    "milestones": {"trial.ending": [3, 1], "lapsed": [7]},
    "scores": {"risk": {"version": 1}},
    "features": {"ltv": {"type": "number", "max_age_hours": 24}},
    "audiences": {
        "known": {
            "all": [
                {"somewhere": "profile.country == null || profile.country != 'SE'"},
                {"few": "size(subscriptions) < 3"},
                {"worth": "features.ltv == null || features.ltv > 0.0"},
            ]
        }
    },
    "experiments": {
        "halves": {
            "variants": [
                {"id": "offer", "offer": "annual", "weight": 0.5},
                {"id": "none", "offer": None, "weight": 0.5},
            ],
            "bucket_version": 2,
        },
        "learnt": {
            "variants": [{"id": "half", "offer": "half"}, {"id": "annual", "offer": "annual"}],
            "policy": "p",
            "segments": ["known"],
        },
    },
    "holdouts": {"some": {"percent": 30, "campaigns": ["tried", "reminder"]}},
    "campaigns": {
        "tried": {
            "offer": "annual",
            "placement": "banner",
            "moments": ["trial.started", "activated", "renewed", "payment.failed", "auto_renew.off"],
            "priority": 50,
            "audience": "known",
            "experiment": "halves",
            "cap": [
                {"max": 1, "window_days": 30},
                {"max": 1, "calendar_days": 2, "scope": "user", "event": "clicked"},
            ],
        },
        "ranked": {
            "offer": "annual",
            "placement": "page",
            "moments": ["trial.started", "trial.converted", "renewed", "payment.failed"],
            "priority": 50,
            "rank": {"score": "risk"},
            "experiment": "learnt",
        },
        "reminder": {"offer": "half", "placement": "push", "moments": ["trial.ending", "lapsed"], "priority": 50},
        "asked": {"offer": "half", "placement": "push", "moments": ["feedback.absent@1:mail"], "priority": 40},
        "mail": {"offer": "half", "placement": "inbox", "moments": ["payment.failed", "expired"], "priority": 50},
        "afternoons": {
            "offer": "half",
            "placement": "inbox",
            "moments": ["trial.converted"],
            "priority": 40,
            "quiet_hours": {"start": "00:00", "end": "12:00"},
        },
    },
}
RISK = artifacts.logistic(
    numeric=[
        artifacts.number("subscription.days_since_last_paid", 0.1),
        artifacts.number("subscription.period_days"),
    ]
)
POLICY = {"policy_version": "7", "arms": {"half": 0.5, "annual": 0.5}}
PURCHASE = {
    "store": "play_store",
    "product_id": "premium",
    "ownership": "family",
    "quantity": 2,
    "current_price": 1099,
}
OF_OFFER = {"trigger_id": "known-to-nobody", "offer_ref": "SPRING"}


def life(number: int) -> Iterator[dict[str, Any]]:
    """The life of one user, with everything that a subscription can go through."""
    user, then = f"u-{number}", number / 40
    profile = {"profile": {"country": "DE" if number % 2 else "SE"}, "source": "billing"}

    def told(topic: str, days: float, **facts: Any) -> dict[str, Any]:
        return event(topic, user, then + days, f"{topic}-{days}", **facts)

    start = trial(user, then, then + 14)
    yield start | {"data": start["data"] | profile | OF_OFFER}
    yield payment(user, then + 14, event_id="p1", payment_id="p1", **PURCHASE, **OF_OFFER)
    yield told("churn-signal", 20, signal="price_increase_pending", price=1299, currency="EUR")
    yield told("churn-signal", 21, signal="plan_change_scheduled", to_plan="basic", effective_at=at(then + 200))
    yield told("churn-signal", 22, signal="plan_change_undone")
    yield payment(user, then + 44, "failed", "p2", grace_until=at(then + 50))
    yield payment(user, then + 46, event_id="p3", period_start=at(then + 44), period_end=at(then + 74))
    yield told("churn-signal", 50, signal="auto_renew_off", reason="too dear", reason_code="price_increase")
    yield told("churn-signal", 52, signal="auto_renew_on")
    yield told("churn-signal", 55, signal="pause_scheduled", effective_at=at(then + 60), resume_at=at(then + 66))
    yield payment(user, then + 74, event_id="p4")
    yield told("churn-signal", 80, signal="cancelled", effective_at=at(then + 90), reason_code="voluntary")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The second of two replays of a rich history, with feedback on the triggers of the first."""
    folder = tmp_path_factory.mktemp("analysts")
    for name, content in (("scores/risk.1", RISK), ("policies/p", POLICY), ("catalog", CATALOG)):
        file = folder / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
    lines = [line for number in range(40) for line in life(number)]
    lines.sort(key=lambda line: str(line["data"]["occurred_at"]))
    options: dict[str, Any] = {"catalog": folder / "catalog.json", "processes": 1}
    first = run(folder / "first", *lines, *GARBAGE, **options)
    return run(folder / "second", *lines, *GARBAGE, *feedback(first.rows("triggers")), **options)


def rows(done: Outcome, topic: Topic) -> list[dict[str, Any]]:
    return done.rows(FILES[topic].removesuffix(".jsonl"))


def schema_of(topic: Topic) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((DOCS / f"{topic}.schema.json").read_text())
    return schema


def filled(value: Any, part: dict[str, Any], defs: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Every field of a value that is not null, as the object that the schema calls so and the field's name."""
    for choice in (part, *part.get("anyOf", ()), *part.get("allOf", ())):
        where, described = name, choice
        if "$ref" in choice:
            where = choice["$ref"].rpartition("/")[2]
            described = defs[where]
        if isinstance(value, list) and "items" in described:
            for item in value:
                yield from filled(item, described["items"], defs, where)
        elif isinstance(value, dict):
            for field, inner in described.get("properties", {}).items():
                if value.get(field) is not None:
                    yield where, field
                    yield from filled(value[field], inner, defs, where)


NOT_OF_A_REPLAY = {("dead-letter", "truncated_from")}
"""A history has no line of more than 1 MB here."""


@pytest.mark.parametrize("topic", FILES)
def test_every_line_is_valid_and_every_field_is_filled_somewhere(done: Outcome, topic: Topic) -> None:
    schema = schema_of(topic)
    validator, defs, found = jsonschema.Draft202012Validator(schema), schema.get("$defs", {}), set()
    for row in rows(done, topic):
        validator.validate(row)
        found |= set(filled(row, schema, defs, topic.value))
    described = {(name, field) for name, part in defs.items() for field in part.get("properties", {})}
    described |= {(topic.value, field) for field in schema["properties"]}
    assert described - found - NOT_OF_A_REPLAY == set()


def test_a_trigger_joins_its_decision_and_its_candidate(done: Outcome) -> None:
    decisions = {row["decision_id"]: row for row in rows(done, Topic.DECISION)}
    triggers = rows(done, Topic.UPSELL_TRIGGER)
    issued = {row["trigger_id"]: row for row in triggers if row["kind"] == "issued"}
    assert issued
    for row in triggers:
        decision = decisions[row["decision_id"]]
        (candidate,) = [one for one in decision["candidates"] if one.get("trigger_id") == row["trigger_id"]]
        assert (candidate["outcome"], candidate["given"], row["trigger_id"] in issued) == ("issued", True, True)
        for name in ("moment", "moment_at", "cause", "subscription_id", "campaign_id", "variant", "score"):
            assert candidate.get(name) == row[name], name
        assert candidate.get("offset") == row["offset"]


def test_a_candidate_that_won_is_a_trigger_or_a_suppressed_exposure(done: Outcome) -> None:
    issued = {row["trigger_id"] for row in rows(done, Topic.UPSELL_TRIGGER) if row["kind"] == "issued"}
    suppressed = {row["trigger_id"] for row in rows(done, Topic.EXPOSURE) if row["kind"] == "suppressed"}
    won = [one for row in rows(done, Topic.DECISION) for one in row["candidates"] if "trigger_id" in one]
    assert {one["trigger_id"] for one in won if one["outcome"] == "issued"} == issued
    assert {one["trigger_id"] for one in won if one.get("suppressed")} == suppressed
    assert {(one["reason"], one["given"]) for one in won} == {
        (None, True),
        ("variant", True),
        ("holdout", False),
        ("cap", False),
    }


def test_an_exposure_joins_its_trigger_or_the_decision_that_withheld_it(done: Outcome) -> None:
    issued = {row["trigger_id"]: row for row in rows(done, Topic.UPSELL_TRIGGER) if row["kind"] == "issued"}
    decisions = {row["decision_id"]: row for row in rows(done, Topic.DECISION)}
    for row in rows(done, Topic.EXPOSURE):
        candidates = decisions[row["decision_id"]]["candidates"]
        assert row["trigger_id"] in {one.get("trigger_id") for one in candidates}
        if row["kind"] != "suppressed":
            trigger = issued[row["trigger_id"]]
            assert (row["issued_at"], row["moment_at"]) == (trigger["decided_at"], trigger["moment_at"])
            assert row["decision_id"] == trigger["decision_id"]


def test_the_moment_of_every_candidate_is_told_by_a_change_and_each_moment_once(done: Outcome) -> None:
    moments = [
        (row["user_id"], one["kind"], one["subscription_id"], one["cause"], one["at"], one["offset"])
        for row in rows(done, Topic.SUBSCRIPTION_CHANGE)
        for one in row["moments"]
    ]
    assert len(moments) == len(set(moments))
    for row in rows(done, Topic.DECISION):
        for one in row["candidates"]:
            about = (one["moment"], one["subscription_id"], one["cause"], one["moment_at"], one.get("offset"))
            assert (row["user_id"], *about) in moments


def test_changes_alone_give_every_state(done: Outcome) -> None:
    """The facts of a change are those of the change before, with what changed."""
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows(done, Topic.SUBSCRIPTION_CHANGE):
        key, facts = (row["user_id"], row["subscription_id"]), row["facts"]
        before, public = known.get(key, {}), {name: each for name, each in facts.items() if "period_" not in name}
        told = {name: each for name, each in (before | row["after"]).items() if "period_" not in name}
        assert {name: each for name, each in told.items() if each is not None} == public
        assert set(row["changed"]) == {name for name in row["after"] if row["before"][name] != row["after"][name]}
        known[key] = facts


def test_a_user_is_newly_assigned_once_where_assignments_are_kept(done: Outcome) -> None:
    newly: dict[tuple[str, str], set[str]] = {}
    for row in rows(done, Topic.DECISION):
        for one in row["candidates"]:
            if one.get("experiment_id") == "halves" and one["newly_assigned"]:
                assert newly.setdefault((row["user_id"], "halves"), set()) == set()
                newly[row["user_id"], "halves"].add(one["assigned_at"])
    assert len(newly) == 20, "the half of the users that is in the audience"


def test_a_context_is_within_its_bound(done: Outcome) -> None:
    for row in rows(done, Topic.DECISION):
        assert len(json.dumps(row["context"], separators=(",", ":"), ensure_ascii=False).encode()) <= 512
        assert row["context"].keys().isdisjoint(row.get("context_left_out", ()))
