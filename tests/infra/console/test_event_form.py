import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.console.event_form import FURTHER, TOPICS, event_of, fields_of, typed_in, values_of
from infra.samples.samples import STORY, kinds, sample
from shared.contracts.inbound.envelope import EVENTS
from tests.support.consoles import NOW

KINDS = [kind for kind in kinds() if not kind.startswith(STORY)]
SCALARS = st.text(min_size=1) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
FURTHER_FIELDS = st.dictionaries(st.sampled_from(["tier", "shop", "amout"]), SCALARS, max_size=3)


def field(topic, path):
    return next(one for one in fields_of(topic) if one.path == path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_comes_back_from_its_form_unchanged(kind):
    made = sample(kind, "ada", NOW, {})
    assert event_of(made.topic, values_of(made.topic, made.data)) == made.data


@given(st.sampled_from(KINDS), FURTHER_FIELDS, st.dictionaries(st.sampled_from(["country", "odd"]), SCALARS))
def test_no_field_is_lost_whatever_the_contract_says_of_it(kind, further, profile):
    made = sample(kind, "ada", NOW, further | ({"profile": profile} if profile else {}))
    again = event_of(made.topic, values_of(made.topic, made.data))
    country = made.data.get("profile", {}).get("country")
    if country is not None and not isinstance(country, str):
        made.data["profile"]["country"] = again["profile"]["country"]  # an input for text knows text alone
    assert again == made.data


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_of_the_contract_has_an_input_with_its_description(topic):
    paths = {one.path.partition(".")[0] for one in fields_of(topic)}
    assert paths == EVENTS[topic].model_fields.keys() - {"schema_version"}
    assert [one.path for one in fields_of(topic) if not one.about] == []


def test_inputs_know_kinds_lists_and_defaults():
    assert field("payment", "outcome").choices[:2] == ("pending", "succeeded")
    assert field("payment", "outcome").required
    assert field("payment", "grace").choices == ("none",)
    kinds = {path: field("payment", path).kind for path in ("amount", "final", "period_end", "plan")}
    assert kinds == {"amount": "integer", "final": "flag", "period_end": "time", "plan": "text"}
    assert field("churn-signal", "strength").kind == "number"
    assert field("payment", "profile.attributes").kind == "json"
    assert (field("payment", "subscription_id").default, field("payment", "final").default) == ("main", "false")


def test_what_is_not_of_its_kind_stays_what_was_typed():
    values = {
        "amount": "4,99",
        "final": "yes",
        "quantity": "2",
        "profile.student": "true",
        "plan": "12",
        "store": "",
    }
    assert event_of("payment", values) == {
        "amount": "4,99",
        "final": "yes",
        "quantity": 2,
        "profile": {"student": True},
        "plan": "12",
    }


@pytest.mark.parametrize("text", ["[]", "1", "{", "null", "\x00"])
def test_further_fields_must_be_an_object(text):
    with pytest.raises(ValueError, match=r"."):
        event_of("payment", {FURTHER: text})


def test_only_inputs_of_the_form_are_read():
    assert typed_in({"f.plan": "x", "token": "y", "topic": "z"}) == {"plan": "x"}
