"""Any input to the catalog compiler is either accepted or refused with problems; it never raises another error."""

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog
from tests.shared.decisioning.document.test_catalog_page import example

WRITTEN: dict[str, Any] = example().model_dump(mode="json", exclude_unset=True)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["renewed", "00:00", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every part of a value, at any depth."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, it in steps for found in ((*way, step), *places(it, (*way, step)))]


PLACES = places(WRITTEN)


def problems(data: Any) -> list[str]:
    """The problems of a catalog; none if it is accepted."""
    try:
        compile_catalog(data)
    except InvalidCatalog as refused:
        return refused.problems
    return []


def part(data: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        data = data[step]
    return data


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3))
def test_with_anything_in_any_place_it_is_accepted_or_refused_in_sentences(mistakes: list[Any]) -> None:
    data = deepcopy(WRITTEN)
    for (*way, last), value in sorted(mistakes, key=lambda mistake: -len(mistake[0])):
        part(data, tuple(way))[last] = value
    assert all(": expected " in sentence and "found " in sentence for sentence in problems(data))


@given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True))
def test_with_anything_left_out_it_is_accepted_or_refused_in_sentences(missing: list[tuple[Any, ...]]) -> None:
    data = deepcopy(WRITTEN)
    for *way, last in sorted(missing, key=lambda way: (-len(way), [str(step) for step in way])):
        container = part(data, tuple(way))
        if isinstance(container, dict) or last < len(container):
            del container[last]
    assert all(": expected " in sentence and "found " in sentence for sentence in problems(data))


@given(JSON)
def test_anything_at_all_is_accepted_or_refused_in_sentences(anything: Any) -> None:
    assert anything == {} or problems(anything)
