"""The triggers of a replay, small enough that those of a long history fit into memory."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

import orjson

from infra.replay.outputs import messages
from shared.contracts.topics import Topic

NO_DIFFERENCE = frozenset(
    {"user_id", "trigger_id", "campaign_id", "subscription_id", "moment", "cause", "schema_version", "kind"}
    | {"sequence", "event", "catalog_version", "policy_version", "score_version"}
)
"""Fields that say which trigger it is, or under which number and by which version it went out.

Two triggers of one id that differ in nothing else are the same to whoever is shown them.
"""


class Key(NamedTuple):
    """What a candidate, and the trigger that it becomes if it wins, are about."""

    user_id: str
    campaign_id: str
    moment: str
    cause: str


class IssuedTrigger(NamedTuple):
    """A trigger that was issued."""

    key: Key
    placement: str
    decided_at: str
    facts_json: str
    """All that makes a difference to whoever is shown it; text, since orjson's bytes hold 4 KiB each."""

    @property
    def facts(self) -> dict[str, Any]:
        """All that makes a difference, by the names of the message."""
        facts: dict[str, Any] = orjson.loads(self.facts_json)
        return facts

    @property
    def order(self) -> tuple[str, Key]:
        """Oldest first; at one instant by user."""
        return self.decided_at, self.key


class IssuedTriggers:
    """All triggers that a replay issued, by id, and those of them that it revoked."""

    def __init__(self, folder: Path) -> None:
        self.triggers: dict[str, IssuedTrigger] = {}
        self.revoked: set[str] = set()
        for message in messages(folder, Topic.UPSELL_TRIGGER):
            if message["kind"] == "issued":
                self.triggers[message["trigger_id"]] = _offered(message)
            else:
                self.revoked.add(message["trigger_id"])

    @property
    def users(self) -> int:
        """How many users were offered anything."""
        return len({offered.key.user_id for offered in self.triggers.values()})

    def by_campaign(self) -> Counter[str]:
        """How many triggers each campaign issued."""
        return Counter(offered.key.campaign_id for offered in self.triggers.values())

    def by_placement(self) -> defaultdict[str, tuple[int, int]]:
        """How many triggers each placement showed, and to how many users."""
        users: defaultdict[str, list[str]] = defaultdict(list)
        for offered in self.triggers.values():
            users[offered.placement].append(offered.key.user_id)
        counts = ((placement, (len(those), len(set(those)))) for placement, those in users.items())
        return defaultdict(lambda: (0, 0), counts)


def _offered(message: Mapping[str, Any]) -> IssuedTrigger:
    key = Key(message["user_id"], intern(message["campaign_id"]), intern(message["moment"]), message["cause"])
    facts = {name: it for name, it in message.items() if name not in NO_DIFFERENCE}
    return IssuedTrigger(key, intern(message["placement"]), message["decided_at"], orjson.dumps(facts).decode())


class Answer(NamedTuple):
    """What a decision said of a candidate."""

    reason: str
    detail: str | None


def answers(folder: Path, wanted: set[Key]) -> dict[Key, Answer]:
    """What a replay last said of these candidates, of those that it considered."""
    return {key: answer for key, answer in _answers(folder) if key in wanted}


def _answers(folder: Path) -> Iterator[tuple[Key, Answer]]:
    for decision in messages(folder, Topic.DECISION):
        for candidate in decision["candidates"]:
            key = Key(decision["user_id"], candidate["campaign_id"], candidate["moment"], candidate["cause"])
            yield key, Answer(candidate["reason"] or candidate["outcome"], candidate["detail"])
