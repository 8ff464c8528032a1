"""Experiments as a decision uses them: enrolment, sticky assignments, and changes of a policy."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from shared.contracts.outbound.decision import Candidate
from shared.decisioning.decide import Decision
from shared.decisioning.experiments.bucketing import Namespace, bucket, in_namespace
from shared.decisioning.experiments.policy import parse_policy
from shared.decisioning.library import Library
from shared.decisioning.losses import Loss, LossReason
from shared.domain.assignments import MAX_ASSIGNMENTS, Assignment, assign
from shared.domain.errors import InvalidCatalog
from shared.domain.user import User
from tests.support.builders import NOW, ago, campaign, catalog, decide, moment, user
from tests.support.candidates import candidates_of

OFFERS = {id_: {"cms_ref": f"offers/{id_}", "validity_hours": 1} for id_ in ("annual", "a", "b")}
ARMS = [{"id": "A", "offer": "a"}, {"id": "B", "offer": "b"}]
HALVES = [{"id": "A", "offer": "a", "weight": 0.5}, {"id": "B", "offer": "b", "weight": 0.5}]
USERS = [f"user-{number}" for number in range(1000)]


def decided_for(
    users: Iterable[User],
    library: Library | None = None,
    cause: str = "c1",
    terms: dict[str, Any] | None = None,
    **experiment: Any,
) -> list[Decision]:
    """The decision on one campaign with an experiment `x`, by default with two variants of equal weight."""
    asked = catalog(
        library or Library(),
        offers=OFFERS,
        campaigns={"upgrade": campaign(experiment="x", **(terms or {}))},
        experiments={"x": {"variants": HALVES, **experiment}},
    )
    return [decide(asked, one, [moment(cause=cause)]) for one in users]


def decided(user_id: str = "user-1", assignments: tuple[Assignment, ...] = (), **terms: Any) -> Decision:
    """The decision for one user."""
    (decision,) = decided_for([user(user_id=user_id, assignments=assignments)], **terms)
    return decision


def told_to_all(**terms: Any) -> list[Candidate]:
    """The candidate of each of `USERS`, in one catalog that is compiled once."""
    return [candidates_of(decision)[0] for decision in decided_for((user(user_id=id_) for id_ in USERS), **terms)]


@pytest.mark.parametrize("version", [1, 2])
def test_an_experiment_hashes_by_the_version_that_its_catalog_names(version: int) -> None:
    expected = ["A" if bucket("x", id_, version) < 0.5 else "B" for id_ in USERS]
    assert variants_of_all(hash_version=version) == expected


@pytest.mark.parametrize("id_", ["autumn", "winter"])
def test_a_namespace_takes_its_users_by_its_own_name(id_: str) -> None:
    taken = [in_namespace(user_id, Namespace(id_, 0.2, 0.6)) for user_id in USERS]
    found = variants_of_all(namespace={"id": id_, "start": 0.2, "end": 0.6})
    assert [variant is not None for variant in found] == taken


def test_an_experiment_of_another_hash_version_is_refused() -> None:
    with pytest.raises(InvalidCatalog, match="hash_version"):
        decided(hash_version=3)


def variants_of_all(**terms: Any) -> list[str | None]:
    return [candidate.variant for candidate in told_to_all(**terms)]


def told(*args: Any, **kwargs: Any) -> Candidate:
    """The candidate of that campaign in the decision."""
    return candidates_of(decided(*args, **kwargs))[0]


def assigned(variant: str, version: int = 0, propensity: float = 0.25) -> tuple[Assignment, ...]:
    return (Assignment("x", "", version, variant, ago(days=9), propensity),)


class TestVariants:
    def test_give_their_offer_and_are_known_by_it(self) -> None:
        offers = {(one.variant, one.offer_id) for one in told_to_all()}
        assert offers == {("A", "a"), ("B", "b")}

    def test_are_pinned_with_the_trigger(self) -> None:
        (issued,) = decided().issued
        expected = told()
        assert (issued.experiment_id, issued.variant, issued.propensity) == ("x", expected.variant, 0.5)
        assert issued.policy_version is None
        assert expected.propensity == 0.5

    def test_divide_the_users_by_weight(self) -> None:
        weights = [{**HALVES[0], "weight": 0.2}, {**HALVES[1], "weight": 0.8}]
        split = Counter(variants_of_all(variants=weights))
        assert 150 < split["A"] < 250

    def test_do_not_depend_on_anything_but_the_user(self) -> None:
        assert {told(cause=cause).variant for cause in "abcdefgh"} == {told().variant}

    def test_of_another_salt_are_another_split(self) -> None:
        pairs = Counter(zip(variants_of_all(), variants_of_all(salt="y"), strict=True))
        assert min(pairs[one, other] for one in "AB" for other in "AB") > 200


class TestCoverage:
    def test_leaves_the_others_the_own_offer_of_the_campaign_outside_the_experiment(self) -> None:
        covered = told_to_all(coverage=0.3)
        outside = [one for one in covered if one.variant is None]
        assert 600 < len(outside) < 800
        assert {(one.offer_id, one.experiment_id, one.propensity) for one in outside} == {("annual", None, None)}

    def test_that_grows_moves_nobody(self) -> None:
        few, many = (variants_of_all(coverage=share) for share in (0.2, 0.7))
        assert all(after == before for before, after in zip(few, many, strict=True) if before)


class TestStickiness:
    @pytest.mark.parametrize("variant", ["A", "B"])
    def test_keeps_the_variant_whatever_becomes_of_weights_and_coverage(self, variant: str) -> None:
        lost = [{**one, "weight": 0.0 if one["id"] == variant else 1.0} for one in HALVES]
        kept = told(assignments=assigned(variant), variants=lost, coverage=0.0)
        assert (kept.variant, kept.offer_id) == (variant, variant.lower())

    def test_keeps_the_probability_of_the_day_with_it(self) -> None:
        assert told(assignments=assigned("A", propensity=0.25)).propensity == 0.25

    def test_remembers_who_is_new_and_nobody_twice(self) -> None:
        (new,) = decided().assignments
        assert new == Assignment("x", "", 0, told().variant or "", NOW, 0.5)
        assert decided(assignments=(new,)).assignments == ()

    def test_is_an_offer(self) -> None:
        assert decided(sticky=False).assignments == ()
        other = {"A": "B", "B": "A"}[told().variant or ""]
        assert told(sticky=False, assignments=assigned(other)).variant == told().variant

    def test_ends_with_a_new_bucket_version(self) -> None:
        natural = told().variant
        other = {"A": "B", "B": "A"}[natural or ""]
        decision = decided(assignments=assigned(other), bucket_version=1)
        assert candidates_of(decision)[0].variant == natural
        assert [(one.bucket_version, one.variant) for one in decision.assignments] == [(1, natural)]

    def test_of_too_low_a_version_puts_a_user_out_of_the_experiment(self) -> None:
        versions = {"bucket_version": 2, "min_bucket_version": 2}
        out = told(assignments=assigned("A", version=1), **versions)
        assert (out.variant, out.offer_id) == (None, "annual")
        assert told(assignments=assigned("A", version=2), **versions).variant == "A"
        assert told(**versions).variant is not None

    def test_with_a_variant_that_is_no_more_leaves_the_experiment(self) -> None:
        decision = decided(assignments=assigned("gone"))
        out = candidates_of(decision)[0]
        assert (out.offer_id, out.experiment_id, out.variant) == ("annual", None, None)
        assert decision.assignments == ()

    def test_with_a_variant_that_is_no_more_is_chosen_anew_where_the_author_says_so(self) -> None:
        decision = decided(assignments=assigned("gone"), reassign=True)
        assert candidates_of(decision)[0].variant == told().variant
        assert [(one.variant, one.at) for one in decision.assignments] == [(told().variant, NOW)]

    def test_with_a_variant_that_comes_back_is_in_the_experiment_again(self) -> None:
        assert told(assignments=assigned("B"), variants=[HALVES[0], {**HALVES[1], "id": "C"}]).variant is None
        assert told(assignments=assigned("B")).variant == "B"

    @pytest.mark.parametrize("untied", [{"sticky": False}, {"policy": "p", "variants": ARMS}])
    def test_is_what_a_reassignment_needs(self, untied: dict[str, Any]) -> None:
        expected = "experiments.x.reassign: expected false, as users are not tied to a variant, found true"
        with pytest.raises(InvalidCatalog, match=expected):
            decided(reassign=True, **untied)

    def test_keeps_a_user_who_is_outside_the_present_range_of_the_namespace(self) -> None:
        """As in GrowthBook: the range says who may enter, not who stays."""
        nobody = {"id": "n", "start": 0.0, "end": 0.00001}
        assert told(namespace=nobody).variant is None
        assert told(namespace=nobody, assignments=assigned("A")).variant == "A"

    def test_hashes_again_with_a_new_bucket_version_but_to_the_same_variant_unless_the_salt_is_new(self) -> None:
        before = variants_of_all()
        again, anew = variants_of_all(bucket_version=1), variants_of_all(bucket_version=1, salt="x-2")
        assert again == before
        assert 400 < sum(one != other for one, other in zip(anew, before, strict=True)) < 600

    def test_is_read_only_when_the_audience_has_passed(self) -> None:
        asked = catalog(
            offers=OFFERS,
            audiences={"nobody": {"all": [{"no": "false"}]}},
            campaigns={"upgrade": campaign(experiment="x", audience="nobody")},
            experiments={"x": {"variants": HALVES}},
        )
        (lost,) = candidates_of(decide(asked, user(assignments=assigned("A")), [moment()]))
        assert (lost.reason, lost.experiment_id, lost.variant) == (LossReason.AUDIENCE, None, None)

    def test_assigns_only_who_was_really_given_a_variant(self) -> None:
        assert decided(terms={"state": "paused"}).assignments == ()

    def test_is_by_subscription_where_that_is_the_unit(self) -> None:
        (new,) = decided(unit="subscription").assignments
        assert new.unit == "main"
        elsewhere = (Assignment("x", "car", 0, {"A": "B", "B": "A"}[new.variant], ago(days=1), 0.5),)
        assert told(unit="subscription", assignments=elsewhere).variant == new.variant
        assert told(unit="subscription", assignments=(new,)).variant == new.variant

    def test_of_users_and_of_their_subscriptions_are_two_splits(self) -> None:
        pairs = Counter(zip(variants_of_all(), variants_of_all(unit="subscription"), strict=True))
        assert min(pairs[one, other] for one in "AB" for other in "AB") > 200


class TestWhatIsRemembered:
    def test_replaces_what_was_known_of_the_same_experiment_and_unit(self) -> None:
        old, new = assigned("A")[0], Assignment("x", "", 1, "B", NOW)
        other_unit = Assignment("x", "car", 0, "A", ago(days=1))
        assert assign((old, other_unit), [new]) == (new, other_unit)

    def test_has_a_bound_and_the_oldest_goes(self) -> None:
        many = tuple(Assignment(f"x{n:03}", "", 0, "A", ago(days=100 - n)) for n in range(MAX_ASSIGNMENTS + 9))
        kept = assign((), many)
        assert len(kept) == MAX_ASSIGNMENTS
        assert {one.experiment_id for one in many[:9]}.isdisjoint(one.experiment_id for one in kept)

    def test_stays_the_very_same_where_nothing_is_new(self) -> None:
        known = assigned("A")
        assert assign(known, ()) is known


class TestState:
    @pytest.mark.parametrize("state", ["stopped", "draft"])
    def test_gives_everybody_the_own_offer_unless_it_runs(self, state: str) -> None:
        for assignments in ((), assigned("A")):
            decision = decided(state=state, assignments=assignments)
            (one,) = candidates_of(decision)
            assert (one.offer_id, one.experiment_id, one.variant) == ("annual", None, None)
            assert decision.assignments == ()

    def test_of_a_stopped_experiment_leaks_nobody_into_another(self) -> None:
        """Users of the stopped experiment are not in the second one, because their ranges are disjoint."""

        def in_them(first: str) -> dict[str, set[str]]:
            asked = catalog(
                placements={"banner": {"channel": "in_app"}, "inbox": {"channel": "email"}},
                offers=OFFERS,
                campaigns={"one": campaign(experiment="x"), "two": campaign(experiment="y", placement="inbox")},
                experiments={
                    "x": {"variants": HALVES, "state": first, "namespace": {"id": "n", "start": 0.0, "end": 0.5}},
                    "y": {"variants": HALVES, "namespace": {"id": "n", "start": 0.5, "end": 1.0}},
                },
            )
            found: dict[str, set[str]] = {"x": set(), "y": set()}
            for id_ in USERS:
                for candidate in candidates_of(decide(asked, user(user_id=id_), [moment()])):
                    if candidate.experiment_id:
                        found[candidate.experiment_id].add(id_)
            return found

        running, stopped = in_them("running"), in_them("stopped")
        assert running["x"].isdisjoint(running["y"])
        assert min(map(len, running.values())) > 400
        assert (stopped["x"], stopped["y"]) == (set(), running["y"])


def policy(version: str = "1", **arms: float) -> Library:
    return Library(policies={"p": parse_policy("p", {"policy_version": version, "arms": arms})})


class TestPolicy:
    def told(self, library: Library, cause: str = "c1", user_id: str = "user-1", **terms: Any) -> Candidate:
        return told(user_id, library=library, cause=cause, variants=ARMS, policy="p", **terms)

    def test_picks_by_its_probabilities_and_says_which_they_were(self) -> None:
        library = policy("7", A=0.9, B=0.1)
        picked = [self.told(library, cause=f"cause-{number}") for number in range(1000)]
        assert 850 < sum(one.variant == "A" for one in picked) < 950
        assert {(one.variant, one.propensity, one.policy_version) for one in picked} == {
            ("A", 0.9, "7"),
            ("B", 0.1, "7"),
        }

    def test_picks_by_user_and_cause(self) -> None:
        """Event ids are often unique for each user only: the cause alone would tie users together."""
        library = policy(A=0.5, B=0.5)
        by_user = {self.told(library, user_id=id_).variant for id_ in USERS[:50]}
        by_cause = {self.told(library, cause=cause).variant for cause in "abcdefghij"}
        assert (len(by_user), len(by_cause)) == (2, 2)

    def test_is_pinned_with_the_trigger_and_nobody_is_assigned(self) -> None:
        decision = decided(library=policy("7", A=0.9, B=0.1), variants=ARMS, policy="p")
        (issued,) = decision.issued
        assert (issued.policy_version, issued.propensity) == ("7", 0.9 if issued.variant == "A" else 0.1)
        assert decision.assignments == ()

    def test_has_a_floor(self) -> None:
        picked = [self.told(policy(A=1.0, B=0.0), cause=f"c{n}", floor=0.1) for n in range(200)]
        assert {(one.variant, round(one.propensity or 0, 9)) for one in picked} == {("A", 0.9), ("B", 0.1)}

    def test_takes_no_notice_of_what_was_once_assigned(self) -> None:
        for variant in "AB":
            assert self.told(policy(A=1.0, B=0.0), assignments=assigned(variant)).variant == "A"

    def test_keeps_to_its_coverage(self) -> None:
        library = policy(A=1.0, B=0.0)
        inside = variants_of_all(library=library, variants=ARMS, policy="p", coverage=0.5)
        assert 400 < inside.count("A") < 600

    def test_that_is_not_there_fails_closed(self) -> None:
        lost = self.told(Library())
        assert (lost.reason, lost.detail) == (LossReason.POLICY, "policy p: expected a valid one, found none")

    def test_of_other_arms_fails_closed(self) -> None:
        lost = self.told(policy(A=0.5, C=0.5))
        expected = "policy p: arms: expected the experiment's variants (A, B), found A, C"
        assert Loss(lost.reason or LossReason.STALE, lost.detail) == Loss(LossReason.POLICY, expected)


class TestHoldouts:
    """Each holdout has its own salt, so that it is independent of variants and of other holdouts."""

    def groups(self, **sections: Any) -> list[Decision]:
        asked = catalog(
            offers=OFFERS,
            campaigns={"upgrade": campaign(experiment="x"), "other": campaign(placement="inbox")},
            experiments={"x": {"variants": HALVES}},
            **sections,
        )
        return [decide(asked, user(user_id=id_), [moment()]) for id_ in USERS]

    def test_hold_out_their_share_of_users(self) -> None:
        held = sum(not one.issued for one in self.groups(holdouts={"h": {"percent": 10}}))
        assert 70 < held < 130

    def test_are_independent_of_variants(self) -> None:
        split: Counter[str | None] = Counter()
        for one in self.groups(holdouts={"h": {"percent": 50}}):
            split.update(spared.trigger.variant for spared in one.suppressed if spared.trigger.variant)
        assert 200 < split["A"] < 300
        assert 200 < split["B"] < 300

    def test_are_independent_of_each_other(self) -> None:
        holdouts = {
            "one": {"percent": 50, "campaigns": ["upgrade"]},
            "two": {"percent": 50, "campaigns": ["other"]},
        }
        patterns = Counter(
            tuple(sorted(spared.trigger.campaign_id for spared in one.suppressed))
            for one in self.groups(holdouts=holdouts)
        )
        assert all(200 < number < 300 for number in patterns.values())
        assert len(patterns) == 4

    def test_of_the_same_salt_hold_out_the_same_users_whatever_they_are_called(self) -> None:
        one, other = (
            [bool(decision.suppressed) for decision in self.groups(holdouts={name: {"percent": 20, "salt": "s"}})]
            for name in ("h", "k")
        )
        assert one == other
