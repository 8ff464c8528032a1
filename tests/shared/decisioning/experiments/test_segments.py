"""Segments: audiences for which a policy may have probabilities of their own."""

from typing import Any

import pytest

from shared.contracts.outbound.decision import Candidate
from shared.decisioning.experiments.policy import InvalidPolicy, parse_policy
from shared.decisioning.library import Library
from shared.domain.errors import InvalidCatalog
from tests.support.builders import campaign, catalog, decide, moment, user
from tests.support.candidates import candidates_of

OFFERS = {id_: {"cms_ref": f"offers/{id_}", "validity_hours": 1} for id_ in ("annual", "a", "b")}
ARMS = [{"id": "A", "offer": "a"}, {"id": "B", "offer": "b"}]
GERMANS = {"all": [{"country": "profile.country == 'DE'"}]}
EUROPEANS = {"all": [{"country": "profile.country in ['DE', 'SE']"}]}
ONLY_A, ONLY_B = {"A": 1.0, "B": 0.0}, {"A": 0.0, "B": 1.0}


def told(country: str, segments: dict[str, Any], listed: tuple[str, ...] = ("germans", "europeans")) -> Candidate:
    """The candidate of a user in a country, by a policy that offers A to all but those in its segments."""
    policy = parse_policy("p", {"arms": ONLY_A, "policy_version": "1", "segments": segments})
    asked = catalog(
        Library(policies={"p": policy}),
        offers=OFFERS,
        audiences={"germans": GERMANS, "europeans": EUROPEANS},
        campaigns={"upgrade": campaign(experiment="x")},
        experiments={"x": {"variants": ARMS, "policy": "p", "segments": listed}},
    )
    (candidate,) = candidates_of(decide(asked, user(country=country), [moment()]))
    return candidate


def test_a_user_of_a_segment_gets_an_arm_by_the_probabilities_of_the_segment() -> None:
    one = told("SE", {"europeans": ONLY_B})
    assert (one.variant, one.propensity, one.segment, one.offer_id) == ("B", 1.0, "europeans", "b")


def test_a_user_of_no_segment_gets_an_arm_by_the_probabilities_of_all() -> None:
    one = told("US", {"europeans": ONLY_B})
    assert (one.variant, one.segment) == ("A", None)


def test_a_user_of_two_segments_is_in_the_first_that_the_experiment_lists() -> None:
    segments = {"germans": ONLY_A, "europeans": ONLY_B}
    assert told("DE", segments).segment == "germans"
    assert told("DE", segments, listed=("europeans", "germans")).variant == "B"


def test_a_segment_is_told_also_while_the_policy_treats_all_alike() -> None:
    one = told("DE", {"europeans": ONLY_B})
    assert (one.variant, one.segment) == ("A", "germans")


def test_a_policy_with_a_segment_that_the_experiment_does_not_list_is_not_used() -> None:
    one = told("DE", {"germans": ONLY_B}, listed=("europeans",))
    expected = "policy p: segments: expected the experiment's segments (europeans), found germans"
    assert (one.reason, one.detail) == ("policy", expected)
    assert told("DE", {"germans": ONLY_B}, listed=()).detail == (
        "policy p: segments: expected no segments, found germans"
    )


@pytest.mark.parametrize(
    ("segments", "sentence"),
    [
        (
            {"germans": {"A": 0.5, "B": 0.4}},
            "segments.germans: expected probabilities that add up to 1, found 0.9",
        ),
        ({"germans": {"A": 0.5, "C": 0.5}}, 'segments.germans: expected the arms A, B, found "A, C"'),
        (
            {"germans": {"A": 0.0, "B": 0.0}},
            "segments.germans: expected probabilities that add up to 1, found 0.0",
        ),
        ({"germans": {"A": 1}}, "segments.germans: expected at least 2 entries, found 1"),
        ({"germans": {"A": 2, "B": 0}}, "segments.germans.A: expected at most 1, found 2"),
        (["germans"], 'segments: expected an object, found ["germans"]'),
    ],
)
def test_an_ill_formed_segment_is_refused(segments: object, sentence: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy("p", {"arms": ONLY_A, "policy_version": "1", "segments": segments})
    assert caught.value.problems[0] == sentence


def refused(**terms: Any) -> str:
    with pytest.raises(InvalidCatalog) as caught:
        catalog(
            offers=OFFERS,
            audiences={"germans": GERMANS},
            experiments={"x": {"variants": ARMS, **terms}},
        )
    return str(caught.value)


def test_a_segment_must_be_an_audience_of_the_catalog_named_once() -> None:
    assert "experiments.x.segments[0]: expected" in refused(policy="p", segments=["swedes"])
    assert "experiments.x.segments[1]: expected each audience once" in refused(
        policy="p", segments=["germans", "germans"]
    )


def test_segments_need_a_policy() -> None:
    weighted = [{**arm, "weight": 0.5} for arm in ARMS]
    assert "experiments.x.segments: expected no segments, as there is no policy" in refused(
        variants=weighted, segments=["germans"]
    )


def test_experiments_that_share_a_policy_have_the_same_segments() -> None:
    both = {
        "x": {"variants": ARMS, "policy": "p", "segments": ["germans"]},
        "y": {"variants": ARMS, "policy": "p", "salt": "other"},
    }
    with pytest.raises(InvalidCatalog, match=r"experiments\.y\.segments: expected the segments of x"):
        catalog(offers=OFFERS, audiences={"germans": GERMANS}, experiments=both)
