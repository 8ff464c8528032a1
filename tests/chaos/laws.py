"""The checker: it knows the project by its topics and documents alone, and decides each law over a whole run.

Delivery is at least once, in no order: so a message may come twice, and an `issued` after its `revoked`. What a law
says is therefore about ids, bodies and sequences, never about the order of arrival.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.contracts.topics import Topic
from tests.chaos.observation import ABOUT_USERS, Document, Json, Observation

DECIDED = frozenset(
    {"now", "scores_up", "assignments", "deferred", "triggers", "decisions", "pending", "fired", "next_due_at"}
)
"""Fields of a view that depend on when events arrived and which catalog was in force: not on the set of events."""
OF_A_DELIVERY = frozenset({"pubsub_message_id", "publish_time"})
"""Fields of a dead letter that say by which of several equal messages it came."""
PAYING = ("active", "trialing")
LIVE = ("pending", "trialing", "active", "grace", "on_hold", "paused")
OPEN = frozenset({"issued", "delivered", "impression", "clicked"})
"""The states of a trigger that a consumer may still show."""
FOLLOW_UP = "feedback."
HOLDS: dict[str, Callable[[Json], bool]] = {
    "trial.started": lambda facts: facts["status"] == "trialing",
    "activated": lambda facts: facts["status"] in PAYING,
    "renewed": lambda facts: facts["status"] in PAYING,
    "payment.failed": lambda facts: facts["status"] in LIVE,
    "payment.recovered": lambda facts: facts["status"] in PAYING,
    "auto_renew.off": lambda facts: facts["status"] in LIVE and not facts["auto_renew"],
    "auto_renew.on": lambda facts: facts["status"] in LIVE and facts["auto_renew"],
    "plan.changed": lambda facts: facts["status"] in LIVE,
    "resumed": lambda facts: facts["entitled"],
    "expired": lambda facts: facts["status"] == "expired",
}
"""What the state must be while an offer made for a moment is open."""


@dataclass(slots=True)
class Verdict:
    """What became of one law."""

    law: str
    checked: int = 0
    broken: list[str] = field(default_factory=list)
    """Evidence: the user, the cause and the ids of messages."""

    def expect(self, holds: object, evidence: str) -> None:
        """Check one thing."""
        self.checked += 1
        if not holds:
            self.broken.append(evidence)


def judge(seen: Observation) -> list[Verdict]:
    """The verdicts on all laws."""
    verdicts = []
    for law, check in LAWS.items():
        verdict = Verdict(law)
        check(seen, verdict)
        verdicts.append(verdict)
    return verdicts


def _acknowledged(seen: Observation, verdict: Verdict) -> None:
    verdict.checked += len(seen.plan.publications)
    verdict.broken += seen.unacknowledged


def _nothing_due(seen: Observation, verdict: Verdict) -> None:
    verdict.checked += len(seen.documents)
    verdict.broken += seen.overdue


def _one_body(seen: Observation, verdict: Verdict) -> None:
    bodies: dict[str, Json] = {}
    for topic in (*ABOUT_USERS, Topic.DEAD_LETTER):
        for heard in seen.messages.get(topic, ()):
            body = {name: value for name, value in heard.body.items() if name not in OF_A_DELIVERY}
            known = bodies.setdefault(body["message_id"], body)
            differing = [name for name in {*known, *body} if known.get(name) != body.get(name)]
            verdict.expect(
                not differing,
                f"{topic} {body['message_id']} of {body.get('user_id')}: two bodies, which differ in {differing},"
                f" by {known.get('event')} and {body.get('event')}",
            )


def _one_sequence(seen: Observation, verdict: Verdict) -> None:
    for user, bodies in seen.about_users.items():
        ids: dict[int, str] = {}
        for body in bodies:
            first = ids.setdefault(body["sequence"], body["message_id"])
            verdict.expect(
                first == body["message_id"],
                f"{user}: the sequence {body['sequence']} is that of {first} and of {body['message_id']}",
            )


def _one_trigger(seen: Observation, verdict: Verdict) -> None:
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


def _state(seen: Observation, verdict: Verdict) -> None:
    with TemporaryDirectory(prefix="chaos-") as folder:
        expected = seen.folded(Path(folder))
    for user in sorted({*expected, *seen.documents}):
        document = seen.documents.get(user)
        found, folded = (document.view if document else {}), expected.get(user, {})
        differing = [name for name in {*found, *folded} - DECIDED if found.get(name) != folded.get(name)]
        evidence = f"{user}: {sorted(differing)} differ; " + "; ".join(
            f"{name}: {_difference(found.get(name), folded.get(name))}" for name in sorted(differing)
        )
        verdict.expect(not differing, evidence)


def _difference(found: Any, folded: Any) -> str:
    """What two values do not share; of lists, only the elements that one of them lacks."""
    if isinstance(found, list) and isinstance(folded, list):
        gone, new = [one for one in folded if one not in found], [one for one in found if one not in folded]
        return f"stored but not folded {_ids(new)}, folded but not stored {_ids(gone)}"
    return f"stored {found!r}, folded {folded!r}"


def _ids(rows: list[Any]) -> list[Any]:
    return [row.get("event_id", row) if isinstance(row, dict) else row for row in rows][:5]


def _dead_letters(seen: Observation, verdict: Verdict) -> None:
    letters = {(topic, data): reason for reason, topic, data in seen.letters}
    for (topic, data), reason in seen.plan.refused.items():
        found = letters.pop((topic, data), None)
        verdict.expect(found == reason, f"{topic}: expected a letter for {reason}, found {found}: {data[:80]!r}")
    for (topic, *identity), contents in seen.plan.contested.items():
        refused = [
            [letters.pop((topic, data)) for data in words if (topic, data) in letters] for words in contents
        ]
        reasons = {reason for found in refused for reason in found}
        verdict.expect(
            reasons == {"id_reused"} and sum(map(bool, refused)) == 1,
            f"{topic} {identity}: expected one of two contents refused as id_reused, found {refused}",
        )
    for (topic, data), reason in letters.items():
        verdict.expect(False, f"{topic}: an unexpected letter for {reason}: {data[:200]!r}")


def _announced(seen: Observation, verdict: Verdict) -> None:
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
            known = told.get(change["subscription_id"], before | _NOTHING)
            wrong = [name for name, value in before.items() if known.get(name) != value]
            evidence = (
                f"{user}: {change['message_id']} ({change['event']}) starts from {wrong} that were never announced"
            )
            verdict.expect(not wrong, evidence)
            told[change["subscription_id"]] = change["facts"]
        for facts in [] if document.is_overdue else _subscriptions(document):
            known = told.get(facts["subscription_id"])
            names = _ANNOUNCED if known else ("status", "entitled")
            wrong = [name for name in names if (known or _NOTHING).get(name) != facts.get(name)]
            evidence = f"{user}: {wrong} of {facts['subscription_id']} are not as announced last"
            verdict.expect(not wrong, evidence)


_NOTHING: Json = {"status": "none", "entitled": False}
"""What is assumed of a subscription about which nothing was announced."""
_ANNOUNCED = (
    "status",
    "entitled",
    "plan",
    "period_start",
    "period_end",
    "trial_ends_at",
    "auto_renew",
    "cancel_at",
)
"""Facts that the view and the announcement both have under one name."""


def _subscriptions(document: Document) -> list[Json]:
    return document.view.get("subscriptions") or [document.view]


def _told(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        told = {
            kind: {one["trigger_id"] for one in seen.told(user, topic, kind)}
            for topic, kind in (
                (Topic.UPSELL_TRIGGER, "issued"),
                (Topic.UPSELL_TRIGGER, "revoked"),
                (Topic.EXPOSURE, "suppressed"),
            )
        }
        decided = _decided(seen, user)
        for trigger in document.view["triggers"]:
            id_, cause = trigger["trigger_id"], trigger["cause"]
            about = f"{user}: the trigger {id_} of {trigger['campaign_id']} ({trigger['moment']}, {cause})"
            # An offer that was revoked before it could go out is not sent any more.
            kind = "suppressed" if trigger["withheld"] else "revoked" if trigger["revoked"] else "issued"
            verdict.expect(id_ in told[kind], f"{about}: never told as {kind}")
            verdict.expect(id_ in decided, f"{about}: no decision tells it")
            if not trigger["moment"].startswith(FOLLOW_UP):
                verdict.expect(cause in _moments(seen, user), f"{about}: no change tells its moment")
        known = {trigger["trigger_id"] for trigger in document.view["triggers"] if not trigger["withheld"]}
        for kind in ("issued", "revoked"):
            for id_ in told[kind] - known:
                verdict.expect(False, f"{user}: {id_} was {kind}, and the document does not know it")
        for message in _pending(document):
            heard = any(one["message_id"] == message for one in seen.about_users.get(user, ()))
            verdict.expect(heard, f"{user}: {message} is pending, and was never told")


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


def _not_stale(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        best = document.view
        for trigger in best["triggers"]:
            holds = HOLDS.get(trigger["moment"])
            if trigger["state"] not in OPEN or holds is None or document.is_overdue:
                continue
            is_true = trigger["subscription_id"] == best["subscription_id"] and holds(best)
            verdict.expect(
                is_true,
                f"{user}: {trigger['trigger_id']} of {trigger['campaign_id']} is open for {trigger['moment']},"
                f" although the user is {best['status']}",
            )


def _final(seen: Observation, verdict: Verdict) -> None:
    for user, document in seen.documents.items():
        states = {trigger["trigger_id"]: trigger for trigger in document.view["triggers"]}
        issued = {one["trigger_id"]: one["sequence"] for one in seen.told(user, Topic.UPSELL_TRIGGER, "issued")}
        for revoked in seen.told(user, Topic.UPSELL_TRIGGER, "revoked"):
            id_ = revoked["trigger_id"]
            is_last = issued.get(id_, 0) < revoked["sequence"]
            verdict.expect(is_last, f"{user}: {id_} was issued again after {revoked['message_id']}")
            is_revoked = states.get(id_, {}).get("revoked", True)
            verdict.expect(is_revoked, f"{user}: {id_} was revoked, and the document says that it is not")


def _feedback(seen: Observation, verdict: Verdict) -> None:
    earliest: dict[tuple[str, str, str], str] = {}
    for event in seen.feedback:
        key = event["user_id"], event["trigger_id"], event["kind"]
        earliest[key] = min(earliest.get(key, "9"), event["occurred_at"])
    for (user, id_, kind), at in earliest.items():
        triggers = seen.documents[user].view["triggers"] if user in seen.documents else []
        reports = [one for trigger in triggers if trigger["trigger_id"] == id_ for one in trigger["feedback"]]
        found = [one["at"] for one in reports if one["kind"] == kind]
        verdict.expect(found == [at], f"{user}: {kind} of {id_}: expected the report of {at}, found {found}")
        exposures = [one for one in seen.told(user, Topic.EXPOSURE, kind) if one["trigger_id"] == id_]
        verdict.expect(exposures, f"{user}: {kind} of {id_}: no exposure tells it")


LAWS: dict[str, Callable[[Observation, Verdict], None]] = {
    "every message is acknowledged in the end": _acknowledged,
    "nothing that is due stays undone": _nothing_due,
    "the state is that of the accepted events (laws 1, 2, 3)": _state,
    "the dead letter has what must be refused, and nothing else (laws 2, 4)": _dead_letters,
    "a message id has one body (law 6)": _one_body,
    "a sequence has one message": _one_sequence,
    "a cause has one trigger a campaign, and a moment one telling (law 6)": _one_trigger,
    "what the document decided was told, and nothing else (law 6)": _told,
    "what was announced is what is true": _announced,
    "no open offer contradicts the state (law 7)": _not_stale,
    "a revocation is final (law 7)": _final,
    "feedback counts once, and is told": _feedback,
}
"""Every law, by its sentence."""
