import re
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.topology import ROOT
from shared.decisioning.document.vocabulary import HOLDOUT_SALT_PREFIX
from shared.decisioning.experiments.bucketing import (
    BUCKETS,
    Namespace,
    Range,
    bucket,
    choose,
    equal_weights,
    in_namespace,
    is_held_out,
    ranges,
)

PAGE = ROOT / "docs/experiments.md"
IDS = [f"user-{number:06}" for number in range(20_000)]
COVERAGE = st.floats(0, 1)
NUMBER = st.floats(0, 1, exclude_max=True)


@st.composite
def weights(draw: st.DrawFn) -> list[float]:
    shares = draw(st.lists(st.integers(1, 1000), min_size=2, max_size=32))
    return [share / sum(shares) for share in shares]


@pytest.mark.parametrize(
    ("seed", "value", "first", "second"),
    [("salt", "smörgås", 0.366, 0.4179), ("salt", "😀", 0.896, 0.7735), ("säsong", "user-1", 0.114, 0.4847)],
)
def test_text_beyond_ascii_is_hashed_as_javascript_does(
    seed: str, value: str, first: float, second: float
) -> None:
    """The expected numbers come from GrowthBook's SDK for JavaScript, version 1.8.0."""
    assert (bucket(seed, value, 1), bucket(seed, value, 2)) == (first, second)


def test_a_ramp_lets_users_in_and_moves_none() -> None:
    before, after = (variants(ranges((0.5, 0.3, 0.2), coverage)) for coverage in (0.1, 0.5))
    assert before.items() < after.items()
    assert len(after) == pytest.approx(5 * len(before), rel=0.1)


def test_ranges_begin_with_their_start_and_stop_short_of_their_end() -> None:
    halves = ranges((0.5, 0.5), 0.5)
    assert [choose(n, halves) for n in (0, 0.2499, 0.25, 0.4999, 0.5, 0.7499, 0.75, 0.9999)] == [
        *(0, 0, None, None),
        *(1, 1, None, None),
    ]


def test_a_variant_without_weight_is_given_to_nobody() -> None:
    assert set(variants(ranges((0.5, 0.0, 0.5))).values()) == {0, 2}


def test_the_example_for_data_scientists_is_true() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| (user-\d) \| (\S+) \| (\w+) \| (\w+) \|$", page, re.MULTILINE)
    shares, words = (0.5, 0.3, 0.2), {None: "none", 0: "first", 1: "second", 2: "third"}
    found = [
        (id_, str(n), words[choose(n, ranges(shares, 0.4))], words[choose(n, ranges(shares))])
        for id_, n in ((row[0], bucket("annual_price", row[0])) for row in rows)
    ]
    assert found == rows != []


@pytest.mark.parametrize("number", range(2, 33))
def test_whole_coverage_leaves_nobody_out(number: int) -> None:
    assert choose(1 - 1 / BUCKETS, ranges(equal_weights(number))) == number - 1


@pytest.mark.parametrize(("second", "share"), [(0.49, 0.49), (0.51, 0.51), (0.48, 0.5), (0.52, 0.5)])
def test_weights_that_miss_1_by_no_more_than_a_hundredth_stay_as_they_are(second: float, share: float) -> None:
    assert ranges((0.5, second))[1] == Range(0.5, 0.5 + share)


def test_half_of_a_character_is_hashed_as_javascript_does() -> None:
    """`"\\ud800".charCodeAt(0)` is 0xD800, though UTF-16 has no such text."""
    assert bucket("", "\ud800", 1) == ((0x811C9DC5 ^ 0xD800) * 0x01000193 & 0xFFFFFFFF) % 1000 / 1000


def test_no_variants_have_no_ranges() -> None:
    assert ranges(()) == ()


@given(weights(), COVERAGE)
def test_ranges_are_in_order_and_apart(shares: list[float], coverage: float) -> None:
    found = ranges(shares, coverage)
    assert all(part.start <= part.end for part in found)
    assert all(part.end <= later.start for part, later in pairwise(found))


@given(weights(), COVERAGE)
def test_ranges_cover_what_is_to_be_covered(shares: list[float], coverage: float) -> None:
    found = ranges(shares, coverage)
    assert [part.end - part.start for part in found] == pytest.approx([coverage * share for share in shares])


@given(weights(), COVERAGE, NUMBER)
def test_whoever_is_chosen_lies_in_that_range_and_whoever_is_not_in_none(
    shares: list[float], coverage: float, n: float
) -> None:
    found = ranges(shares, coverage)
    index = choose(n, found)
    assert [place for place, part in enumerate(found) if part.start <= n < part.end] == (
        [] if index is None else [index]
    )


@given(weights(), COVERAGE, COVERAGE, NUMBER)
def test_no_ramp_moves_anybody(shares: list[float], one: float, other: float, n: float) -> None:
    before, after = (choose(n, ranges(shares, coverage)) for coverage in sorted((one, other)))
    assert before is None or before == after


@given(st.text(), st.text(), st.sampled_from([1, 2]))
def test_any_text_has_its_bucket(seed: str, value: str, version: int) -> None:
    n = bucket(seed, value, version)
    assert 0 <= n < 1
    assert n == bucket(seed, value, version)


def test_disjoint_parts_of_a_namespace_share_no_user_and_together_have_all() -> None:
    thirds = [Namespace("paywall", 0, 0.3), Namespace("paywall", 0.3, 0.6), Namespace("paywall", 0.6, 1)]
    assert {sum(in_namespace(id_, third) for third in thirds) for id_ in IDS} == {1}


def test_nobody_is_held_out_at_0_percent_and_everybody_at_100() -> None:
    assert not any(is_held_out("annual_upgrade", id_, 0) for id_ in IDS)
    assert all(is_held_out("annual_upgrade", id_, 100) for id_ in IDS)


@pytest.mark.parametrize(
    ("percent", "least_not_held_out"), [(0.01, 1), (0.07, 7), (0.29, 29), (5, 500), (57, 5700)]
)
def test_holdouts_are_exact_to_the_hundredth_of_a_percent(percent: float, least_not_held_out: int) -> None:
    """As floats, 0.07 / 100 is greater than 7 / 10,000, so that it would hold out an eighth bucket."""
    assert is_held_out("annual_upgrade", whose_bucket_is(least_not_held_out - 1), percent)
    assert not is_held_out("annual_upgrade", whose_bucket_is(least_not_held_out), percent)


def test_a_larger_holdout_holds_those_of_the_smaller() -> None:
    small, large = ({id_ for id_ in IDS if is_held_out("annual_upgrade", id_, percent)} for percent in (5, 10))
    assert small < large


def variants(among: tuple[Range, ...]) -> dict[str, int]:
    """The users of an experiment with these ranges, each with the variant."""
    chosen = {id_: choose(bucket("annual_upgrade", id_), among) for id_ in IDS}
    return {id_: variant for id_, variant in chosen.items() if variant is not None}


def whose_bucket_is(step: int) -> str:
    ids = (f"user-{number}" for number in count())
    return next(id_ for id_ in ids if bucket(f"{HOLDOUT_SALT_PREFIX}annual_upgrade", id_) == step / BUCKETS)
