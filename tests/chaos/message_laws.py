"""Laws about the messages: each by itself, and all of them against the documents."""

from collections.abc import Iterator

from shared.contracts.topics import Topic
from tests.chaos.observation import ABOUT_USERS, Document, Json, Observation
from tests.chaos.verdict import Verdict

OF_A_DELIVERY = frozenset({"pubsub_message_id", "publish_time"})
"""Fields of a dead letter that say by which of several equal messages it came."""
MOST_TRIGGERS = 48
"""The triggers that a document keeps one by one."""
FOLLOW_UP = "feedback."
"""The beginnings of the kinds of follow-ups, which are no moments in the life of a subscription."""
NOTHING: Json = {"status": "none", "entitled": False}
"""The facts of a subscription about which nothing was announced."""
ANNOUNCED = (
    *("status", "entitled", "plan", "period_start", "period_end", "trial_ends_at", "auto_renew", "grace_until"),
    *("resume_at", "cancel_at", "auto_renew_reason", "reason_code", "price_consent"),
)
"""Facts that the view and the announcement both have under one name."""


def one_body(seen: Observation, verdict: Verdict) -> None:
    bodies: dict[str, Json] = {}
    for topic in (*ABOUT_USERS, Topic.DEAD_LETTER):
        for heard in seen.messages.get(topic, ()):
            body = {name: value for name, value in heard.body.items() if name not in OF_A_DELIVERY}
            known = bodies.setdefault(body.get("message_id", heard.bus_id), body)
            differing = [name for name in {*known, *body} if known.get(name) != body.get(name)]
            verdict.expect(
                not differing,
                f"{topic} {body.get('message_id')} of {body.get('user_id')}: two bodies, which differ in"
                f" {differing}, by {known.get('event')} and {body.get('event')}",
            )


def one_sequence(seen: Observation, verdict: Verdict) -> None:
    for user, bodies in seen.about_users.items():
        ids: dict[int, str] = {}
        for body in bodies:
            first = ids.setdefault(body["sequence"], body["message_id"])
            verdict.expect(
                first == body["message_id"],
                f"{user}: the sequence {body['sequence']} is that of {first} and of {body['message_id']}",
            )


def one_trigger(seen: Observation, verdict: Verdict) -> None:
    for user, bodies in seen.about_users.items():
        names: dict[tuple[str, str], str] = {}
        moments: dict[tuple[str, str], str] = {}
        for body in bodies:
            if body["topic"] in (Topic.UPSELL_TRIGGER, Topic.EXPOSURE):
                cause = body["cause"], body["campaign_id"]
                first = names.setdefault(cause, body["trigger_id"])
                evidence = f"{user}: {first} and {body['trigger_id']} for the cause and campaign {cause}"
                verdict.expect(first == body["trigger_id"], evidence)
            for moment in body.get("moments", ()) if body["topic"] == Topic.SUBSCRIPTION_CHANGE else ():
                what = moment["kind"], moment["cause"]
                first = moments.setdefault(what, body["message_id"])
                evidence = f"{user}: {first} and {body['message_id']} tell the moment {what}"
                verdict.expect(first == body["message_id"], evidence)


def announced(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        bodies = seen.about_users.get(user, [])
        last = bodies[-1]["sequence"] if bodies else 0
        verdict.expect(
            last == document.sequence,
            f"{user}: the last message has the sequence {last}, the document says {document.sequence}",
        )
        told: dict[str, Json] = {}
        for change in seen.told(user, Topic.SUBSCRIPTION_CHANGE):
            before = change["before"]
            known = told.get(change["subscription_id"], before | NOTHING)
            wrong = [name for name, value in before.items() if known.get(name) != value]
            evidence = (
                f"{user}: {change['message_id']} ({change['event']}) starts from {wrong} that were never announced"
            )
            verdict.expect(not wrong, evidence)
            told[change["subscription_id"]] = change["facts"]
        for facts in [] if document.is_overdue else _subscriptions(document):
            known = told.get(facts["subscription_id"])
            names = ANNOUNCED if known else ("status", "entitled")
            wrong = [name for name in names if (known or NOTHING).get(name) != facts.get(name)]
            evidence = f"{user}: {wrong} of {facts['subscription_id']} are not as announced last"
            verdict.expect(not wrong, evidence)


def _subscriptions(document: Document) -> list[Json]:
    return document.view.get("subscriptions") or [document.view]


def told(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        told = {
            kind: {one["trigger_id"] for one in seen.told(user, topic, kind)}
            for topic, kind in (
                (Topic.UPSELL_TRIGGER, "issued"),
                (Topic.UPSELL_TRIGGER, "revoked"),
                (Topic.EXPOSURE, "suppressed"),
            )
        }
        decided, moments = _decided(seen, user), _moments(seen, user)
        for trigger in document.view["triggers"]:
            id_, cause = trigger["trigger_id"], trigger["cause"]
            about = f"{user}: the trigger {id_} of {trigger['campaign_id']} ({trigger['moment']}, {cause})"
            # An offer that was revoked before it could go out is not sent any more.
            kind = "suppressed" if trigger["withheld"] else "revoked" if trigger["revoked"] else "issued"
            verdict.expect(id_ in told[kind], f"{about}: never told as {kind}")
            verdict.expect(id_ in decided, f"{about}: no decision tells it")
            if not trigger["moment"].startswith(FOLLOW_UP):
                verdict.expect(cause in moments, f"{about}: no change tells its moment")
        known = {trigger["trigger_id"] for trigger in document.view["triggers"] if not trigger["withheld"]}
        for id_ in told["issued"] | told["revoked"]:
            is_known = id_ in known or len(document.view["triggers"]) == MOST_TRIGGERS
            verdict.expect(is_known, f"{user}: {id_} was told, and the document does not know it")
        heard = {one["message_id"] for one in seen.about_users.get(user, ())}
        for message in _pending(document):
            verdict.expect(message in heard, f"{user}: {message} is pending, and was never told")


def _decided(seen: Observation, user: str) -> set[str]:
    """The triggers that decisions tell."""
    decisions = seen.told(user, Topic.DECISION)
    return {one.get("trigger_id") for body in decisions for one in body["candidates"]}


def _moments(seen: Observation, user: str) -> set[str]:
    """The causes of the moments that changes tell."""
    return {one["cause"] for body in seen.told(user, Topic.SUBSCRIPTION_CHANGE) for one in body["moments"]}


def _pending(document: Document) -> Iterator[str]:
    """The messages that may still have to go out, but for offers that are over."""
    over = {f"{one['trigger_id']}.issued" for one in document.view["triggers"] if one["revoked"]}
    yield from (one["message_id"] for one in document.view["pending"] if one["message_id"] not in over)


def final(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        states = {trigger["trigger_id"]: trigger for trigger in document.view["triggers"]}
        issued = {one["trigger_id"]: one["sequence"] for one in seen.told(user, Topic.UPSELL_TRIGGER, "issued")}
        for revoked in seen.told(user, Topic.UPSELL_TRIGGER, "revoked"):
            id_ = revoked["trigger_id"]
            is_last = issued.get(id_, 0) < revoked["sequence"]
            verdict.expect(is_last, f"{user}: {id_} was issued again after {revoked['message_id']}")
            is_revoked = states.get(id_, {}).get("revoked", True)
            verdict.expect(is_revoked, f"{user}: {id_} was revoked, and the document says that it is not")
