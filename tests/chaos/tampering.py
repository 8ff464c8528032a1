"""Ways to tamper with what a run was seen to do, so that it breaks a law which the checker must find."""

import json
from collections.abc import Callable
from dataclasses import replace

from shared.contracts.topics import Topic
from tests.chaos.heard import Heard
from tests.chaos.observation import Json, Observation

Change = Callable[[Json], Json]
Which = Callable[[Json], object]


def _only(seen: Observation, topic: str, which: Which) -> Observation:
    """The observation with only some of the messages of a topic."""
    left = [one for one in seen.messages[topic] if which(one.body)]
    return replace(seen, messages={**seen.messages, topic: left})


def _without_last(seen: Observation, topic: str, which: Which) -> Observation:
    """The observation without the last of some messages of a topic, however often it was published."""
    lost = [one.body["message_id"] for one in seen.messages[topic] if which(one.body)][-1]
    return _only(seen, topic, lambda body: body["message_id"] != lost)


def _told_again(seen: Observation, topic: str, which: Which, **changes: object) -> Observation:
    """The observation in which the last of some messages of a topic was published once more, with changes."""
    last = [one.body for one in seen.messages[topic] if which(one.body)][-1]
    again = Heard(topic, "again", json.dumps(last | changes).encode())
    return replace(seen, messages={**seen.messages, topic: [*seen.messages[topic], again]})


def _with_triggers(seen: Observation, **changes: object) -> Observation:
    """The observation in which every trigger of every document is changed."""
    documents = {
        user: replace(one, view=one.view | {"triggers": [row | changes for row in one.view["triggers"]]})
        for user, one in seen.documents.items()
    }
    return replace(seen, documents=documents)


def _with_plan(seen: Observation, **changes: object) -> Observation:
    return replace(seen, plan=replace(seen.plan, **changes))


def _any(_: Json) -> bool:
    return True


def _revoked(body: Json) -> bool:
    return bool(body["kind"] == "revoked")


TRIGGERS, CHANGES, LETTERS = Topic.UPSELL_TRIGGER, Topic.SUBSCRIPTION_CHANGE, Topic.DEAD_LETTER
TAMPERED: dict[str, tuple[str, Callable[[Observation], Observation]]] = {
    "a message without an acknowledgement": ("every message", lambda s: replace(s, unacknowledged=["payment 1"])),
    "a user overdue": ("nothing that is due", lambda s: replace(s, overdue=["user-1"])),
    "an event in the state that was not accepted": (
        "the state is",
        lambda s: _with_plan(s, accepted=dict([*s.plan.accepted.items()][1:]), contested={}),
    ),
    "a letter that is missing": ("the dead letter", lambda s: _without_last(s, LETTERS, _any)),
    "a letter too many": ("the dead letter", lambda s: _told_again(s, LETTERS, _any, data_base64="AAAA")),
    "a letter for another reason": (
        "the dead letter",
        lambda s: _with_plan(s, refused=dict.fromkeys(s.plan.refused, "unknown_topic")),
    ),
    "another body": ("a message id", lambda s: _told_again(s, Topic.DECISION, _any, cause="x")),
    "a sequence again": ("a sequence", lambda s: _told_again(s, Topic.DECISION, _any, message_id="x")),
    "another trigger for a cause": (
        "a cause has one",
        lambda s: _told_again(s, TRIGGERS, _any, trigger_id="x", message_id="x"),
    ),
    "a moment told again": (
        "a cause has one",
        lambda s: _told_again(s, CHANGES, lambda body: body["moments"], message_id="x"),
    ),
    "offers that were not told": ("what the document decided", lambda s: _only(s, TRIGGERS, _revoked)),
    "a revocation that was not told": (
        "what the document decided",
        lambda s: _without_last(s, TRIGGERS, _revoked),
    ),
    "decisions that were not told": (
        "what the document decided",
        lambda s: _only(s, Topic.DECISION, lambda _: False),
    ),
    "an offer that the document does not know": (
        "what the document decided",
        lambda s: _told_again(s, TRIGGERS, _any, trigger_id="x", message_id="x"),
    ),
    "a change that was not told": (
        "what was announced",
        lambda s: _without_last(s, CHANGES, lambda body: "status" in body["changed"]),
    ),
    "open offers for what is not true": (
        "no open offer",
        lambda s: _with_triggers(s, state="issued", moment="trial.started"),
    ),
    "an offer issued after its revocation": (
        "a revocation",
        lambda s: _told_again(s, TRIGGERS, _revoked, kind="issued", message_id="x", sequence=10**18),
    ),
    "revocations that the document forgot": ("a revocation", lambda s: _with_triggers(s, revoked=False)),
    "feedback that did not count": ("feedback", lambda s: _with_triggers(s, feedback=[])),
    "feedback that was not told": ("feedback", lambda s: _only(s, Topic.EXPOSURE, lambda _: False)),
}
"""Each way by what the checker must find, with the beginning of the law that is broken then."""
