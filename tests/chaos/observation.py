"""The traces of a run: the messages, the documents, and the state folded from the same events in one go."""

import json
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from google.cloud.firestore import Client

from infra.replay.replay import replay
from infra.replay.stores import STORE, read_document
from shared.adapters.gcp.paths import SUBSCRIPTIONS
from shared.contracts.topics import Topic
from shared.domain.terms import Terms
from shared.ports import Stored
from shared.queries.user_view import everything, to_json
from shared.record.codec import unpack
from tests.chaos.heard import Heard
from tests.chaos.plan import Identity, Plan

Json = dict[str, Any]
ABOUT_USERS = (Topic.UPSELL_TRIGGER, Topic.SUBSCRIPTION_CHANGE, Topic.DECISION, Topic.EXPOSURE)
"""The topics whose messages are about one user, and numbered."""


@dataclass(frozen=True, slots=True)
class Document:
    """One user's document, as read at `at`."""

    at: datetime
    view: Json
    """The output of `upbeat show --json`."""
    sequence: int
    """The number of the user's last message."""
    is_overdue: bool
    """True if something should have been done about the user by then."""


@dataclass
class Observation:
    """Everything by which the laws are judged."""

    plan: Plan
    terms: Terms
    messages: Mapping[str, list[Heard]]
    documents: Mapping[str, Document]
    feedback: list[Json]
    """Every event of feedback that was published."""
    unacknowledged: list[str] = field(default_factory=list)
    """Messages that were never acknowledged, in words."""
    overdue: list[str] = field(default_factory=list)
    """Users for whom something is due, although the clock had time to find them."""

    @cached_property
    def about_users(self) -> dict[str, list[Json]]:
        """By user, the bodies of all messages, in the order of their sequence; each id once."""
        found: dict[str, dict[str, Json]] = defaultdict(dict)
        for topic in ABOUT_USERS:
            for heard in self.messages.get(topic, ()):
                body = heard.body
                found[body["user_id"]][body["message_id"]] = body | {"topic": str(topic)}
        return {user: sorted(bodies.values(), key=lambda body: body["sequence"]) for user, bodies in found.items()}

    def told(self, user: str, topic: str, kind: str | None = None) -> list[Json]:
        """The messages about a user on one topic, of one kind if that is given, in their order."""
        bodies = self.about_users.get(user, ())
        return [one for one in bodies if one["topic"] == topic and kind in (None, one.get("kind"))]

    @cached_property
    def letters(self) -> list[tuple[str, str, bytes]]:
        """The reason, the topic and the data of every dead letter.

        One without a reason comes from Pub/Sub itself, which gave up delivering the message.
        """
        return [_letter(heard) for heard in self.messages.get(Topic.DEAD_LETTER, ())]

    @cached_property
    def accepted(self) -> dict[Identity, bytes]:
        """Every event that took effect: of an id used twice, the content that is in no dead letter."""
        refused = {(topic, data) for reason, topic, data in self.letters if reason == "id_reused"}
        won = {
            identity: words[0]
            for identity, contents in self.plan.contested.items()
            for words in contents
            if not any((identity[0], data) in refused for data in words)
        }
        return self.plan.accepted | won

    def folded(self, folder: Path) -> dict[str, Json]:
        """By user, the view of the state that an embedded run makes of the accepted events, in their order."""
        lines = sorted(
            ({"topic": topic, "data": json.loads(data)} for (topic, *_), data in self.accepted.items()),
            key=lambda line: (line["data"]["occurred_at"], line["data"]["event_id"]),
        )
        events, catalog, out = folder / "events.jsonl", folder / "empty.yaml", folder / "out"
        events.write_text("".join(json.dumps(line) + "\n" for line in lines))
        catalog.write_text("kill_switch: false\n")
        replay(events, out, catalog, processes=1, keep_store=True, terms=self.terms)
        users = {line["data"]["user_id"] for line in lines}
        return {user: self._view_of(read_document(out / STORE, user), user) for user in users}

    def _view_of(self, stored: Stored | None, user: str) -> Json:
        document = self.documents.get(user)
        if stored is None or document is None:
            return {}
        view: Json = to_json(everything(unpack(stored.blob or b"", self.terms), document.at, self.terms))
        return view

    @property
    def counts(self) -> Json:
        """Messages published, those of them published again, and deliveries, over all topics about users."""
        heard = [one.body["message_id"] for topic in ABOUT_USERS for one in self.messages.get(topic, ())]
        ids = Counter(heard)
        return {"messages": len(heard), "published_again": len(heard) - len(ids)}


def read_documents(client: Client, now: datetime, terms: Terms) -> Iterator[tuple[str, Document]]:
    """Every user, with the document as read at `now` (UTC), or at its commit if a fast clock made that later."""
    for snapshot in client.collection(SUBSCRIPTIONS).stream():
        record = unpack(bytes(snapshot.get("blob")), terms)
        at, due_at = max(now, record.as_of or now), snapshot.get("next_due_at")
        view = to_json(everything(record, at, terms))
        yield record.user_id, Document(at, view, record.sequence, due_at is not None and due_at <= at)


def _letter(heard: Heard) -> tuple[str, str, bytes]:
    body = heard.body
    if "reason" not in body:
        return "undelivered", "unknown", heard.data
    return body["reason"], body["topic"], b64decode(body["data_base64"])
