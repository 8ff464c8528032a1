from math import fsum, inf, nan
from typing import Any

import pytest

from shared.decisioning.experiments.policy import InvalidPolicy, parse_policy


def problems(data: object) -> list[str]:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy("upgrade", data)
    return caught.value.problems


@pytest.mark.parametrize("arms", [{"a": 0.5, "b": 0.49999}, {"a": 0.5, "b": 0.50001}])
def test_probabilities_must_add_up(arms: dict[str, float]) -> None:
    assert problems({"arms": arms, "policy_version": "1"}) == [
        f"arms: expected probabilities that add up to 1, found {fsum(arms.values())}"
    ]


@pytest.mark.parametrize(
    ("probability", "sentence"),
    [
        (True, "arms.a: expected a number, found true"),
        ("0.5", 'arms.a: expected a number, found "0.5"'),
        (None, "arms.a: expected a number, found null"),
        (nan, "arms.a: expected a finite number, found NaN"),
        (inf, "arms.a: expected a finite number, found Infinity"),
        (-0.1, "arms.a: expected at least 0, found -0.1"),
        (1.1, "arms.a: expected at most 1, found 1.1"),
        (1e-10, "arms.a: expected 0, or at least 1e-09, found 1e-10"),
    ],
)
def test_what_is_no_probability_is_refused(probability: object, sentence: str) -> None:
    assert problems({"arms": {"a": probability, "b": 0.5}, "policy_version": "1"}) == [sentence]


def test_a_number_of_hundreds_of_digits_is_refused() -> None:
    [sentence] = problems({"arms": {"a": 10**400, "b": 0.5}, "policy_version": "1"})
    assert sentence.startswith("arms.a: expected a number, found 1000")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, ["policy: expected an object, found null"]),
        ([0.5, 0.5], ["policy: expected an object, found [0.5, 0.5]"]),
        (
            {},
            ["arms: expected a value, found nothing", "policy_version: expected a value, found nothing"],
        ),
        ({"arms": [0.5, 0.5], "policy_version": "1"}, ["arms: expected an object, found [0.5, 0.5]"]),
        ({"arms": {"a": 1}, "policy_version": "1"}, ["arms: expected at least 2 entries, found 1"]),
        (
            {"arms": {"a": 0.5, "b": 0.5}, "policy_version": ""},
            ['policy_version: expected at least 1 character, found ""'],
        ),
        (
            {"arms": {"a": 0.5, "b": 0.5}, "policy_version": 20261101},
            ["policy_version: expected text, in quotes, found 20261101"],
        ),
        (
            {"arms": {"a": 0.5, "b": 0.5}, "policy_version": "1", "policy_versoin": "2"},
            ['policy_versoin: expected a known field (policy_version?), found "2"'],
        ),
    ],
)
def test_what_is_no_policy_is_refused(data: object, expected: list[str]) -> None:
    assert problems(data) == expected


def test_a_version_has_at_most_64_characters() -> None:
    data: dict[str, Any] = {"arms": {"a": 0.5, "b": 0.5}, "policy_version": "v" * 64}
    assert parse_policy("upgrade", data).version == "v" * 64
    [sentence] = problems({**data, "policy_version": "v" * 65})
    assert sentence.startswith("policy_version: expected at most 64 characters")


def test_a_policy_has_at_most_32_arms() -> None:
    arms = {f"arm-{number}": 1 / 32 for number in range(32)}
    assert len(parse_policy("upgrade", {"arms": arms, "policy_version": "1"}).arms) == 32
    [sentence] = problems({"arms": {**arms, "one-more": 0.0}, "policy_version": "1"})
    assert sentence.startswith("arms: expected at most 32 entries, found")


def test_an_arm_is_named_like_anything_else_in_a_catalog() -> None:
    [sentence] = problems({"arms": {"offer a": 0.5, "b": 0.5}, "policy_version": "1"})
    assert sentence.startswith("arms.offer a: expected 1 to 64 letters, digits, _ or -")


def test_all_mistakes_are_told_at_once_under_the_name_of_the_policy() -> None:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy("upgrade", {"arms": {"a": 2, "b": -1}})
    assert str(caught.value).splitlines() == [
        "invalid policy upgrade:",
        "  arms.a: expected at most 1, found 2",
        "  arms.b: expected at least 0, found -1",
        "  policy_version: expected a value, found nothing",
    ]
