"""Laws about the state: that of the documents, against the accepted events and against the time."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.contracts.topics import Topic
from tests.chaos.observation import Json, Observation
from tests.chaos.verdict import Verdict

DECIDED = frozenset(
    {"now", "scores_up", "assignments", "deferred", "triggers", "decisions", "pending", "fired", "next_due_at"}
)
"""Fields of a view that depend on when events arrived and which catalog was in force: not on the set of events."""
PAYING = ("active", "trialing")
LIVE = ("pending", "trialing", "active", "grace", "on_hold", "paused")
OPEN = frozenset({"issued", "delivered", "impression", "clicked"})
"""The states of a trigger that a consumer may still show."""
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
"""The facts that must hold while an offer made for a moment is open."""


def acknowledged(seen: Observation, verdict: Verdict) -> None:
    verdict.checked += len(seen.plan.publications)
    verdict.broken += seen.unacknowledged


def nothing_due(seen: Observation, verdict: Verdict) -> None:
    verdict.checked += len(seen.documents)
    verdict.broken += seen.overdue


def state(seen: Observation, verdict: Verdict) -> None:
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
    """The parts that two values do not share; of lists, only the elements that one of them lacks."""
    if isinstance(found, list) and isinstance(folded, list):
        gone, new = [one for one in folded if one not in found], [one for one in found if one not in folded]
        return f"stored but not folded {_ids(new)}, folded but not stored {_ids(gone)}"
    return f"stored {found!r}, folded {folded!r}"


def _ids(rows: list[Any]) -> list[Any]:
    return [row.get("event_id", row) if isinstance(row, dict) else row for row in rows][:5]


def dead_letters(seen: Observation, verdict: Verdict) -> None:
    letters = {(topic, data): reason for reason, topic, data in sorted(seen.letters)}
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


def not_stale(seen: Observation, verdict: Verdict) -> None:
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


def feedback(seen: Observation, verdict: Verdict) -> None:
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
