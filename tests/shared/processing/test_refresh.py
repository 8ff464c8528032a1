"""A change between two deliveries of one event, of a policy above all, changes nothing that was decided."""

from collections.abc import Iterator

import pytest

from shared.adapters.fixed import FixedCatalogs
from shared.contracts.outbound.message import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.experiments.policy import parse_policy
from shared.decisioning.library import Library
from shared.domain.events import Event
from tests.support.fakes import Fault
from tests.support.pipeline import Pipeline
from tests.support.story import paid

ARMS = [{"id": "much", "offer": "much"}, {"id": "little", "offer": "little"}, {"id": "none", "offer": None}]
OFFERS = {id_: {"cms_ref": id_, "validity_hours": 24 * 10} for id_ in ("much", "little")}


def catalog(version: str, **arms: float) -> Catalog:
    """One campaign whose variants a policy picks; an arm that is not named is never picked."""
    known = {"much": 0.0, "little": 0.0, "none": 0.0} | arms
    policy = parse_policy("p", {"policy_version": version, "arms": known})
    data = {
        "placements": {"page": {"channel": "in_app"}},
        "offers": OFFERS,
        "campaigns": {
            "c": {"offer": "much", "placement": "page", "moments": ["activated"], "priority": 1, "experiment": "x"}
        },
        "experiments": {"x": {"policy": "p", "variants": ARMS}},
    }
    return compile_catalog(data, Library(policies={"p": policy}))


BEFORE, AFTER = catalog("monday", much=1.0), catalog("tuesday", little=1.0)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    pipeline = Pipeline(BEFORE)
    yield pipeline
    pipeline.close()


def refresh(pipeline: Pipeline, newer: Catalog = AFTER) -> None:
    pipeline.application.catalogs = FixedCatalogs(newer)


def of(topic: Topic, pipeline: Pipeline) -> list[Message]:
    return [message for message in pipeline.bus.taken if message.topic == topic]


def on_the_first_day() -> Event:
    return paid(0)._replace(user_id="user-1")


def test_what_is_published_again_is_the_first_byte_for_byte(pipeline: Pipeline) -> None:
    """The process dies between the commit and the publish; the policy is refreshed; the event comes again."""
    smooth, event = Pipeline(BEFORE), on_the_first_day()
    smooth.deliver(event)
    pipeline.deliver(event, Fault.CRASH_BEFORE_PUBLISH)
    assert pipeline.bus.taken == []
    refresh(pipeline)
    pipeline.redeliver()
    told = [(message.message_id, message.data, message.attributes()) for message in pipeline.bus.taken]
    assert told == [(message.message_id, message.data, message.attributes()) for message in smooth.bus.taken]
    smooth.close()


@pytest.mark.parametrize("fault", [Fault.COMMIT_UNSURE, Fault.CRASH_IN_PUBLISH, Fault.CRASH_BEFORE_ACK])
def test_no_crash_switches_the_arm(pipeline: Pipeline, fault: Fault) -> None:
    event = on_the_first_day()
    pipeline.deliver(event, fault)
    refresh(pipeline)
    pipeline.redeliver()
    assert {message.body["variant"] for message in of(Topic.UPSELL_TRIGGER, pipeline)} == {"much"}
    assert len({message.message_id for message in of(Topic.UPSELL_TRIGGER, pipeline)}) == 1
    assert {one["variant"] for message in of(Topic.DECISION, pipeline) for one in message.body["candidates"]} == {
        "much"
    }


def test_version_and_propensity_are_pinned_in_the_document_the_message_and_the_decision(
    pipeline: Pipeline,
) -> None:
    pipeline.deliver(on_the_first_day())
    refresh(pipeline)
    (trigger,) = pipeline.record.triggers
    (message,), (decision,) = of(Topic.UPSELL_TRIGGER, pipeline), of(Topic.DECISION, pipeline)
    pinned = {"variant": "much", "propensity": 1.0, "policy_version": "monday", "experiment_id": "x"}
    assert {name: getattr(trigger, name) for name in pinned} == pinned
    assert {name: message.body[name] for name in pinned} == pinned
    assert {name: decision.body["candidates"][0][name] for name in pinned} == pinned


def test_the_revocation_speaks_of_the_policy_that_issued(pipeline: Pipeline) -> None:
    pipeline.deliver(on_the_first_day())
    refresh(pipeline)
    later = paid(1, sub="a-better-one", end=400)._replace(user_id="user-1")
    pipeline.deliver(later)
    issued, revoked = of(Topic.UPSELL_TRIGGER, pipeline)[:2]
    assert (issued.body["kind"], revoked.body["kind"]) == ("issued", "revoked")
    own = {"kind", "sequence", "decided_at", "event", "revoke_reason", "message_id"}
    same = issued.body.keys() - own - {"cms_ref", "price_ref", "plan_to"}
    assert {name: issued.body[name] for name in same} == {name: revoked.body[name] for name in same}


def test_what_was_not_committed_is_decided_by_the_newer_policy(pipeline: Pipeline) -> None:
    pipeline.deliver(on_the_first_day(), Fault.COMMIT_FAILS)
    refresh(pipeline)
    pipeline.redeliver()
    assert [message.body["policy_version"] for message in of(Topic.UPSELL_TRIGGER, pipeline)] == ["tuesday"]


def test_an_arm_of_nothing_that_came_to_be_stays_nothing(pipeline: Pipeline) -> None:
    refresh(pipeline, catalog("monday", none=1.0))
    pipeline.deliver(on_the_first_day(), Fault.CRASH_BEFORE_PUBLISH)
    refresh(pipeline)
    pipeline.redeliver()
    assert of(Topic.UPSELL_TRIGGER, pipeline) == []
    (exposure,) = of(Topic.EXPOSURE, pipeline)
    assert (exposure.body["variant"], exposure.body["policy_version"]) == ("none", "monday")
