"""Reads the triggers and candidate outcomes of a replay, in a form compact enough for a long history in memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from sys import intern
from typing import Any, NamedTuple

import orjson

IGNORED_FIELDS = frozenset(
    {"user_id", "trigger_id", "campaign_id", "subscription_id", "moment", "cause", "schema_version", "kind"}
    | {"sequence", "event", "catalog_version", "policy_version", "score_version", "message_id", "decision_id"}
    | {"cms_ref", "price_ref", "plan_to"}  # they follow from offer_id
)
"""Fields that the comparison ignores: the trigger's identity, its numbering, and the versions it was made with.

Two triggers with the same id that differ only in these fields look the same to the user.
"""


class CandidateKey(NamedTuple):
    """Identity of a candidate, and of the trigger that it becomes if it wins."""

    user_id: str
    campaign_id: str
    moment: str
    cause: str


class IssuedTrigger(NamedTuple):
    """One issued trigger."""

    key: CandidateKey
    placement: str
    decided_at: str
    facts_json: str
    """All compared fields as JSON. Text, because each bytes object from orjson occupies 4 KiB."""

    @property
    def facts(self) -> dict[str, Any]:
        """The compared fields, by their names in the message."""
        facts: dict[str, Any] = orjson.loads(self.facts_json)
        return facts

    @property
    def order(self) -> tuple[str, CandidateKey]:
        """Sort key: oldest first, and by user at the same instant."""
        return self.decided_at, self.key


class IssuedTriggers:
    """All triggers in published messages, by id, and the ids of those that were revoked."""

    def __init__(self, messages: Iterable[Mapping[str, Any]]) -> None:
        self.triggers: dict[str, IssuedTrigger] = {}
        self.revoked: set[str] = set()
        for message in messages:
            if message["kind"] == "issued":
                self.triggers[message["trigger_id"]] = _issued_trigger(message)
            else:
                self.revoked.add(message["trigger_id"])

    @property
    def users(self) -> int:
        """The number of users with at least one trigger."""
        return len({trigger.key.user_id for trigger in self.triggers.values()})

    def by_campaign(self) -> Counter[str]:
        """The number of triggers issued by each campaign."""
        return Counter(trigger.key.campaign_id for trigger in self.triggers.values())

    def by_placement(self) -> defaultdict[str, tuple[int, int]]:
        """The number of triggers in each placement, and the number of users who received them."""
        users: defaultdict[str, list[str]] = defaultdict(list)
        for trigger in self.triggers.values():
            users[trigger.placement].append(trigger.key.user_id)
        counts = ((placement, (len(ids), len(set(ids)))) for placement, ids in users.items())
        return defaultdict(lambda: (0, 0), counts)


def _issued_trigger(message: Mapping[str, Any]) -> IssuedTrigger:
    key = CandidateKey(
        message["user_id"], intern(message["campaign_id"]), intern(message["moment"]), message["cause"]
    )
    facts = {name: value for name, value in message.items() if name not in IGNORED_FIELDS}
    return IssuedTrigger(key, intern(message["placement"]), message["decided_at"], orjson.dumps(facts).decode())


class CandidateOutcome(NamedTuple):
    """The outcome of one candidate in a decision."""

    reason: str
    """The reason of a loss, else the outcome itself."""
    detail: str | None


def candidate_outcomes(
    decisions: Iterable[Mapping[str, Any]], wanted: set[CandidateKey]
) -> dict[CandidateKey, CandidateOutcome]:
    """The last outcome of each wanted candidate; candidates that were never considered are absent."""
    return {key: outcome for key, outcome in _all_outcomes(decisions) if key in wanted}


def _all_outcomes(decisions: Iterable[Mapping[str, Any]]) -> Iterator[tuple[CandidateKey, CandidateOutcome]]:
    for decision in decisions:
        for candidate in decision["candidates"]:
            key = CandidateKey(
                decision["user_id"], candidate["campaign_id"], candidate["moment"], candidate["cause"]
            )
            yield key, CandidateOutcome(candidate["reason"] or candidate["outcome"], candidate["detail"])
