import pytest

from shared.decisioning.scoring.registry import Registry
from shared.domain.errors import Transient
from tests.support.artifacts import logistic, number, written


class Shelf:
    """Artifacts by name and version, with a list of the reads."""

    def __init__(self, **artifacts):
        self.artifacts = artifacts
        self.asked = []

    def read(self, name, version):
        self.asked.append((name, version))
        return self.artifacts.get(f"{name}_{version}")


def test_a_score_is_read_when_first_asked_for_and_never_again():
    shelf = Shelf(risk_1=written(logistic()))
    registry = Registry(shelf.read)
    assert shelf.asked == []
    assert registry.get("risk", 1) is registry.get("risk", 1)
    assert registry.get("risk", 1).evaluate({}) == (0.5, "risk", 1, None)
    assert shelf.asked == [("risk", 1)]


def test_versions_live_side_by_side():
    registry = Registry(Shelf(risk_1=written(logistic()), risk_2=written(logistic(version=2, intercept=9))).read)
    assert registry.get("risk", 1).evaluate({}).value < registry.get("risk", 2).evaluate({}).value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "no such artifact"),
        (b"{", "invalid artifact (the data: expected JSON in UTF-8, found a mistake at line 1, column 2)"),
        (
            written(logistic(version="1", r=2)),
            'invalid artifact (version: expected a whole number, found "1"; r: expected a known field, found 2)',
        ),
        (
            written(logistic(version=2)),
            "expected an artifact that says so itself, found risk version 2",
        ),
        (
            written(logistic(name="value")),
            "expected an artifact that says so itself, found value version 1",
        ),
    ],
)
def test_what_cannot_be_used_fails_closed_with_its_reason_and_is_not_read_again(data, reason):
    shelf = Shelf(risk_1=data)
    registry = Registry(shelf.read)
    for _ in range(2):
        broken = registry.get("risk", 1)
        assert broken.evaluate({"x": 1}) == (None, "risk", 1, f"score risk version 1: {reason}")
        assert broken.features == frozenset()
    assert shelf.asked == [("risk", 1)]


def test_a_feature_that_is_no_fact_breaks_a_score_where_the_facts_are_known():
    shelf = Shelf(risk_1=written(logistic(numeric=[number("tenur")])))
    assert Registry(shelf.read).get("risk", 1).features == {"tenur"}
    error = Registry(shelf.read, facts={"tenure"}).get("risk", 1).evaluate({}).error
    assert error == (
        "score risk version 1: invalid artifact "
        '(numeric[0].feature: expected a known fact (tenure?), found "tenur")'
    )


def test_a_store_that_does_not_answer_is_asked_again():
    answers = [Transient("away"), written(logistic())]

    def read(_name, _version):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    registry = Registry(read)
    with pytest.raises(Transient):
        registry.get("risk", 1)
    assert registry.get("risk", 1).evaluate({}).value == 0.5
