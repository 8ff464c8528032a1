import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.replay.json_members import members

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
layouts = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\n:  ")])


@given(st.dictionaries(st.text(), values, max_size=5), layouts, st.sampled_from(["", " \n"]))
def test_every_member_has_its_value_and_the_text_that_gave_it(content, separators, around):
    text = around + json.dumps(content, separators=separators) + around
    found = members(text)
    assert {name: member.value for name, member in found.items()} == content
    assert all(json.loads(member.text) == member.value and member.text in text for member in found.values())


@given(st.text(alphabet='{}[]":,0 ea\\', max_size=12))
def test_what_is_taken_apart_is_what_the_parser_takes_for_an_object(text):
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        assert {name: member.value for name, member in members(text).items()} == parsed
    else:
        with pytest.raises(json.JSONDecodeError):
            members(text)


def test_a_text_stays_as_it_was_written():
    found = members('{"data": {"a": 1.0, "a":NaN , "b":"\\u00e9"}, "topic":"t"}')
    assert found["data"].text == '{"a": 1.0, "a":NaN , "b":"\\u00e9"}'


def test_of_a_name_that_occurs_twice_the_last_counts():
    assert members('{"a": 1, "a": 2}')["a"].text == "2"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a"}', '{"a":1,}', '{"a":1}x', "{1:2}", "{,}", '"{}"', "null"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(json.JSONDecodeError):
        members(text)


def test_what_nests_too_deep_is_refused():
    with pytest.raises(RecursionError):
        members('{"a":' + "[" * 100_000)
