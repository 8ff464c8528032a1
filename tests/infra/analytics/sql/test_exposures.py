"""Who is in an experiment or a holdout: the first occasion that was won, given or withheld, as it was decided."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from tests.support.raw_rows import (
    Warehouse,
    answered,
    at,
    candidate,
    catalog,
    change,
    decision,
    held,
    tick,
    trigger,
)

GIFT = {
    "variants": [
        {"id": "plain", "offer": "annual", "weight": 0.5},
        {"id": "with_gift", "offer": "gift", "weight": 0.5},
    ],
    "goal_metrics": ["renewed"],
}
HOLDOUTS = {
    "everything": {"percent": 5},
    "upgrades": {"percent": 10, "campaigns": ["upgrade", "other"], "starts_at": "2026-01-04T00:00:00Z"},
}
ROWS = [
    catalog(experiments={"gift": GIFT}, holdouts=HOLDOUTS),
    # given: at the first occasion, whatever comes after
    decision("given", 2, candidate(variant="plain", newly_assigned=True)),
    decision("given", 1, candidate(variant="plain", newly_assigned=True)),
    trigger("given", 1),
    answered("given", 1, "impression", 1.5),
    answered("given", 1, "impression", 1.2),
    # an arm of nothing is given
    decision("nothing", 1, candidate(variant="plain", outcome="lost", reason="variant", offer_id=None)),
    # would not have won: in no arm
    decision("lost", 1, candidate(outcome="lost", reason="audience", given=None)),
    # held out first, and no more later: the first counts
    decision("held", 4, held(variant="plain", holdouts=["everything"])),
    decision("held", 5, candidate(variant="plain")),
    # at rest, then it won: the win counts
    decision("rested", 1, held(reason="cap", variant="with_gift")),
    decision("rested", 2, candidate(variant="with_gift")),
    # never won
    decision("capped", 1, held(reason="cap", variant="plain")),
    decision("cooling", 1, held(reason="cool_down", variant="plain")),
    # in two arms
    decision("crossed", 1, candidate(variant="plain")),
    decision("crossed", 2, candidate(variant="with_gift", bucket_version=1)),
    # a variant that no catalog knows
    decision("unknown", 1, candidate(variant="mystery")),
    # revoked before and after it was seen
    decision("unseen", 1, candidate(variant="plain")),
    trigger("unseen", 1),
    trigger("unseen", 1, "revoked", 1.5, revoke_reason="moment"),
    decision("seen", 1, candidate(variant="plain")),
    trigger("seen", 1),
    trigger("seen", 1, "revoked", 1.5, revoke_reason="moment"),
    answered("seen", 1, "impression", 1.4),
    # two subscriptions of one user, each a unit
    *(
        decision("two", 1 + n, candidate("save", variant="plain", experiment_id="per-sub", unit="subscription",
                                         subscription_id=name))
        for n, name in enumerate(("a", "b", "a"))
    ),
    # in two holdouts, and in another catalog that nobody published
    decision("both", 4, held(holdouts=["everything", "upgrades"])),
    decision("dark", 4, candidate(), catalog="v9"),
    decision("dark-held", 4, held(holdouts=["everything"]), catalog="v9"),
    # a campaign that one holdout does not cover, before that holdout began, and after
    decision("uncovered", 4, candidate("save")),
    decision("early", 2, candidate("upgrade")),
    decision("late", 4, candidate("upgrade")),
    tick(100),
]  # fmt: skip
IN_ARMS = {
    # user: variant, first_at, given, withheld, variants_seen, known_variant
    "given": ("plain", 1, True, None, 1, True),
    "nothing": ("plain", 1, True, None, 1, True),
    "held": ("plain", 4, False, "holdout", 1, True),
    "rested": ("with_gift", 2, True, None, 1, True),
    "capped": ("plain", 1, False, "cap", 1, True),
    "cooling": ("plain", 1, False, "cool_down", 1, True),
    "crossed": ("plain", 1, True, None, 2, True),
    "unknown": ("mystery", 1, True, None, 1, False),
    "unseen": ("plain", 1, True, None, 1, True),
    "seen": ("plain", 1, True, None, 1, True),
}


@pytest.fixture(scope="module")
def built():
    warehouse = Warehouse(*ROWS)
    warehouse.run("exposures")
    yield warehouse
    warehouse.close()


def test_each_unit_is_in_an_experiment_once_by_the_first_occasion_that_it_won(built):
    columns = "user_id, variant, first_at, given, withheld, variants_seen, known_variant"
    found = {row[0]: row[1:] for row in built.read("exposures", columns, "experiment_id = 'gift'")}
    assert found == {user: (variant, at(days), *rest) for user, (variant, days, *rest) in IN_ARMS.items()}


def test_what_was_seen_and_revoked_is_told_with_its_order(built):
    columns = "user_id, seen_at, revoked_at, revoked_before_seen"
    found = {row[0]: row[1:] for row in built.read("exposures", columns, "experiment_id = 'gift'")}
    assert found["given"] == (at(1.2), None, False)
    assert found["unseen"] == (None, at(1.5), True)
    assert found["seen"] == (at(1.4), at(1.5), False)
    assert found["nothing"] == (None, None, False)


def test_a_subscription_can_be_the_unit(built):
    found = built.read("exposures", "unit_id, subscription_id, first_at", "experiment_id = 'per-sub'")
    assert sorted(found) == [("two/a", "a", at(1)), ("two/b", "b", at(2))]


def test_a_holdout_compares_the_held_out_with_all_for_whom_a_covered_campaign_won_while_it_ran(built):
    found = built.read(
        "exposures",
        "experiment_id, user_id, variant, given, withheld, holdouts",
        "STARTS_WITH(experiment_id, 'h')",
    )
    everything = {row[1]: row[2:] for row in found if row[0] == "holdout/everything"}
    treated = ("treated", True, None, None)
    winners = ["given", "nothing", "rested", "crossed", "unknown", "unseen", "seen", "two", "uncovered", "early"]
    assert everything == {
        **dict.fromkeys([*winners, "late"], treated),
        "held": ("held_out", False, "holdout", "everything"),
        "both": ("held_out", False, "holdout", "everything,upgrades"),
        "dark-held": ("held_out", False, "holdout", "everything"),
    }
    upgrades = {row[1]: row[2:] for row in found if row[0] == "holdout/upgrades"}
    assert upgrades == {
        "held": ("treated", False, "holdout", "everything"),
        "both": ("held_out", False, "holdout", "everything,upgrades"),
        "late": treated,
    }


def test_a_user_whom_a_holdout_takes_in_later_is_a_crossover(built):
    (row,) = built.read(
        "exposures", "variant, variants_seen", "unit_id = 'held' AND experiment_id = 'holdout/everything'"
    )
    assert row == ("held_out", 2)


def test_every_order_of_landing_gives_the_same_rows(built):
    other = Warehouse(*ROWS[::-1], *ROWS[::3])
    other.run("exposures")
    assert other.table("exposures") == built.table("exposures")


TERMS = {
    "weights as they are": ({}, {"plain": 0.5, "with_gift": 0.5}),
    "coverage shortens all alike": ({"coverage": 0.4}, {"plain": 0.5, "with_gift": 0.5}),
    "weights that do not add up count as equal": (
        {"variants": [{"id": "plain", "weight": 0.5}, {"id": "with_gift", "weight": 0.1}]},
        {"plain": 0.5, "with_gift": 0.5},
    ),
    "a weight of zero": (
        {"variants": [{"id": "plain", "weight": 1}, {"id": "with_gift", "weight": 0}]},
        {"plain": 1, "with_gift": 0},
    ),
    "what goes beyond 1 has nobody": (
        {"variants": [{"id": "plain", "weight": 0.5}, {"id": "with_gift", "weight": 0.51}]},
        {"plain": 0.5, "with_gift": 0.5},
    ),
    "nobody is covered": ({"coverage": 0}, {"plain": None, "with_gift": None}),
    "a policy": (
        {"policy": "p", "variants": [{"id": "plain"}, {"id": "with_gift"}]},
        {"plain": None, "with_gift": None},
    ),
}


@pytest.fixture(scope="module")
def written():
    experiments = {f"e-{number}": GIFT | more for number, (more, _) in enumerate(TERMS.values())}
    holdouts = {"all": {"percent": 12.345}, "some": {"percent": 5, "audience": "loyal"}}
    warehouse = Warehouse(
        catalog(3, experiments=experiments),
        catalog(1, experiments=experiments),
        catalog(2, "v2", experiments=experiments, holdouts=holdouts),
        catalog(2, "v3"),
    )
    warehouse.run("experiments")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize("name", TERMS)
def test_the_share_of_each_variant_is_that_of_growthbooks_ranges(written, name):
    id_ = f"e-{list(TERMS).index(name)}"
    found = written.read("experiments", "catalog_version, variant, weight", "experiment_id = @id", id=id_)
    for version in ("v1", "v2"):
        assert {variant: weight for one, variant, weight in found if one == version} == pytest.approx(
            TERMS[name][1]
        )


def test_an_experiment_says_what_its_catalog_says_or_the_defaults(written):
    columns = "kind, published_at, coverage, unit, bucket_version, goal_metrics, guardrail_metrics, policy, state"
    found = written.read("experiments", columns, "experiment_id = 'e-0' AND catalog_version = 'v1'")
    assert set(found) == {("experiment", at(1), 1.0, "user", 0, "renewed", None, None, "running")}


def test_a_holdout_is_an_experiment_of_two_variants_and_of_unknown_shares_where_it_has_an_audience(written):
    found = written.read("experiments", "experiment_id, variant, weight", "kind = 'holdout'")
    assert {row[:2]: row[2] for row in found} == pytest.approx(
        {
            ("holdout/all", "held_out"): 0.1235,
            ("holdout/all", "treated"): 0.8765,
            ("holdout/some", "held_out"): None,
            ("holdout/some", "treated"): None,
        }
    )


def test_without_a_catalog_nothing_is_known_and_nothing_fails():
    warehouse = Warehouse(decision("u", 1, candidate(variant="plain")), change("u", 1))
    warehouse.run("metrics")
    assert warehouse.read("exposures", "user_id, known_variant") == [("u", False)]
    assert {row[0] for row in warehouse.read("metrics", "metric")} == {"entitled_days"}
