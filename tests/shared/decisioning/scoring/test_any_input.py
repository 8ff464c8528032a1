import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.scoring.load import InvalidScore, load_score
from tests.support.artifacts import category, leaf, logistic, number, score, split, trees, written

LOGISTIC = logistic(
    numeric=[number("x", 1e12, missing={"impute": 1}), number("y", -3)],
    categorical=[category("c", other=0, missing=0)],
)
TREES = trees([split(), leaf(0.3), leaf(0.4)], [split("c", categories=["a"]), leaf(0.5), leaf(0.7)])

facts = st.dictionaries(
    st.sampled_from(["x", "y", "c", "z"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**5000)
    | st.floats()
    | st.text()
    | st.binary()
    | st.lists(st.integers())
    | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["fail", "left", "x", "logistic"])
)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@pytest.mark.parametrize("artifact", [LOGISTIC, TREES], ids=["logistic", "trees"])
@given(facts=facts)
def test_whatever_the_facts_there_is_a_score_from_nought_to_one_or_a_reason(artifact, facts):
    scored = score(artifact).evaluate(facts)
    assert (scored.value is None) == bool(scored.error)
    assert scored.value is None or 0 <= scored.value <= 1


@given(data=st.binary())
def test_whatever_the_bytes_they_are_refused_with_problems(data):
    with pytest.raises(InvalidScore) as refused:
        load_score(data)
    assert refused.value.problems


def problems(data):
    """The problems of an artifact; none if it is valid."""
    try:
        load_score(data)
    except InvalidScore as refused:
        return refused.problems
    return []


def places(content, path=()):
    """The path to every value in an artifact."""
    entries = (
        content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    )
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("artifact", [LOGISTIC, TREES], ids=["logistic", "trees"])
@given(st.data())
def test_an_artifact_with_anything_anywhere_is_a_score_or_is_refused_with_problems(artifact, data):
    broken = json.loads(written(artifact))
    *way, last = data.draw(st.sampled_from(list(places(broken))))
    part = broken
    for key in way:
        part = part[key]
    part[last] = data.draw(ANYTHING)
    for problem in problems(written(broken)):
        assert ": expected " in problem
        assert ", found " in problem
