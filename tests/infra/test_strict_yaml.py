"""YAML as people write it by mistake, or to do harm: it is read as it was meant, or refused where it stands."""

from datetime import UTC, datetime

import pytest

from infra.strict_yaml import MAX_BYTES, InvalidYaml, read_yaml


def refusal(text: str | bytes) -> str:
    with pytest.raises(InvalidYaml) as refused:
        read_yaml(text.encode() if isinstance(text, str) else text)
    return str(refused.value)


def test_json_is_yaml() -> None:
    assert read_yaml(b'{"offers": {"a": {"validity_hours": 48}}}') == {"offers": {"a": {"validity_hours": 48}}}


def test_a_time_of_day_needs_no_quotes() -> None:
    assert read_yaml(b"{start: 22:00, end: 08:00, at: 7:30:15}") == {
        "start": "22:00",
        "end": "08:00",
        "at": "7:30:15",
    }


def test_times_have_the_offset_they_were_written_with() -> None:
    assert read_yaml(b"at: 2026-01-31T09:00:00+01:00")["at"] == datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_day_that_does_not_exist_stays_text() -> None:
    assert read_yaml(b"at: 2026-02-30") == {"at": "2026-02-30"}


def test_what_is_said_once_may_be_used_again() -> None:
    night = {"start": "22:00", "end": "08:00"}
    assert read_yaml(b"a: &night {start: 22:00, end: 08:00}\nb: *night") == {"a": night, "b": night}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", "expected each key once, found c twice in line 4, column 3"),
        ("a: 1\n'a': 2\n", "expected each key once, found a twice in line 2, column 1"),
        ("<<: {a: 1}\n", "expected keys that are words, found a merge (<<) in line 1, column 1"),
        (
            "a: 1\nno: 2\n",
            "found no, which YAML reads as a bool (put it in quotes) in line 2, column 1",
        ),
        ("{1: a}", "expected keys that are words, found 1, which YAML reads as a int (put it in quotes)"),
        ("? [a, b]\n: 1\n", "expected keys that are words, found a list or an object in line 1, column 3"),
        (
            "a: " + "9" * 5000,
            "expected shorter numbers, found one of 5000 digits in line 1, column 4",
        ),
        ("a: [1", "expected YAML, found a mistake in line 2, column 1: did not find expected ',' or ']'"),
        ("a: *gone", "expected YAML, found a mistake in line 1, column 4: found undefined alias"),
        ("a: !!python/name:os.system x", "could not determine a constructor for the tag"),
        ("a: 1\n---\nb: 2\n", "but found another document"),
        (b"a: \xff", "expected YAML, found"),
        ("a: \x00", "expected YAML, found"),
        ("", "expected an object, found null"),
        ("words", "expected an object, found a string of 5 characters"),
        ("[1]", "expected an object, found a list"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str | bytes, expected: str) -> None:
    assert expected in refusal(text)


@pytest.mark.parametrize("nested", ["[" * 200_000, "a: " + "{a: " * 200_000, "- " * 200_000, "? " * 200_000])
def test_what_nests_without_end_is_refused_before_it_is_built(nested: str) -> None:
    assert refusal(nested) == "expected at most 32 levels of nesting, found more"


def test_thirty_two_levels_are_not_too_many() -> None:
    assert read_yaml(b"a: " + b"[" * 31 + b"]" * 31)
    assert "levels" in refusal(b"a: " + b"[" * 32 + b"]" * 32)


def test_a_giant_file_is_not_read() -> None:
    assert refusal(b"#" * (MAX_BYTES + 1)) == f"expected at most {MAX_BYTES} bytes, found more"


@pytest.mark.parametrize("word", ["no", "NO", "on", "off", "yes", "null", "2026", "12:30"])
def test_a_word_that_yaml_does_not_read_as_text_is_a_key_once_it_is_in_quotes(word: str) -> None:
    with pytest.raises(InvalidYaml, match="put it in quotes"):
        read_yaml(f"{word}: a".encode())
    assert read_yaml(f'"{word}": a'.encode()) == {word: "a"}
