"""Erasure in a running Upbeat: the emulators of this machine, or a cloud project."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from google.api_core.exceptions import FailedPrecondition
from google.cloud.firestore import Client, DocumentReference, DocumentSnapshot
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.errors import InfraError
from infra.inspect.documents import record_in
from infra.privacy.event import TOPIC, erasure_event
from infra.privacy.messages import NO_TIME, messages_about
from infra.privacy.target import Counts, just_before
from infra.raw.erased import Erased, remove_from_log
from infra.raw.folder import BEFORE, RAW, file_of
from infra.remote.clock import RunningClock
from infra.remote.firestore import client_errors, read_document
from infra.remote.instants import standard
from infra.remote.pubsub import LISTEN_SUFFIX, Bus, Received
from infra.topology import Topology
from shared.adapters.gcp.mail import ADDRESSES, MAILS, READERS
from shared.adapters.gcp.paths import CURSORS, SUBSCRIPTIONS, SWEEPS, user_document_id
from shared.adapters.gcp.rpc import RPC_SECONDS
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord

USUAL_WAIT = 60.0
POLL_SECONDS = 0.2
LANDED_SECONDS = 15.0
"""The time in which the event is a line of the emulators' raw log, which takes less than a second."""
MAX_PASSES = 5
"""Passes over what a function that was at work meanwhile may have published; the second mostly finds nothing."""
PASS_SECONDS = 1.0
T = TypeVar("T")


class RunningUpbeat:
    """Implements `Target` for Firestore and Pub/Sub, and for the raw log of the emulators."""

    def __init__(
        self,
        client: Client,
        bus: Bus,
        topology: Topology,
        terms: Terms,
        state_folder: Path | None = None,
        wait: float = USUAL_WAIT,
    ) -> None:
        """`state_folder` is that of the running emulators, None in the cloud.

        `wait` are the seconds in which the function has to answer the event.
        """
        self._client, self._bus, self._topology, self._terms = client, bus, topology, terms
        self._state_folder, self._wait = state_folder, wait
        self._ahead = RunningClock(state_folder).ahead if state_folder else NO_TIME

    def erase(self, user_id: str, at: datetime) -> UserRecord:
        """Publish the event, wait until its function has erased the user, and until the event has landed."""
        event = erasure_event(user_id, at)
        message_id = self._bus.publish(TOPIC, event.data)
        left = self._until(lambda: self._left(user_id, at), self._wait)
        if left is None:
            raise InfraError(
                f"{TOPIC}: expected the function to erase the user within {self._wait:g} s, found no tombstone;"
                " the event is published and will be processed: run the command again then"
            )
        if self._state_folder:
            log = file_of(self._state_folder / RAW, TOPIC)
            quoted = f'"{message_id}"'.encode()
            self._until(lambda: (log.exists() and quoted in log.read_bytes()) or None, LANDED_SECONDS)
        return left

    def purge(self, erased: Erased, *, dry: bool = False) -> Counts:
        """See `Target.purge`. What was published meanwhile is looked for again, until there is nothing."""
        found = Counter(self._purge(erased, dry=dry))
        passes = 1
        while not dry and passes < MAX_PASSES:
            time.sleep(PASS_SECONDS)
            more = Counter(self._purge(erased, dry=dry))
            found.update(more)
            passes += 1
            if not more.total():
                break
        return found

    def remove_tombstone(self, user_id: str) -> None:
        """See `Target.remove_tombstone`. One that has changed since it was read stays."""
        with client_errors("remove the tombstone"):
            document = self._client.collection(SUBSCRIPTIONS).document(user_document_id(user_id))
            snapshot = document.get(["erased_at"], retry=None, timeout=RPC_SECONDS)
            if snapshot.exists and (snapshot.to_dict() or {}).get("erased_at"):
                unchanged = self._client.write_option(last_update_time=snapshot.update_time)
                document.delete(option=unchanged, retry=None, timeout=RPC_SECONDS)

    def documents(self, user_id: str) -> "Iterator[DocumentSnapshot[Any]]":
        """The documents about a user beside the user's own that exist: those for e-mail."""
        with client_errors("read what is kept for e-mail"):
            found = [reference.get(retry=None, timeout=RPC_SECONDS) for reference in self._named(user_id)]
            mails = self._client.collection(MAILS).where(filter=FieldFilter("user_id", "==", user_id))
            yield from (each for each in found if each.exists)
            yield from mails.get(retry=None, timeout=RPC_SECONDS)

    def letters(self, erased: Erased, *, keep: bool = True) -> list[Received]:
        """The dead letters that wait and that an erasure takes; unless `keep`, they go."""
        hold = self._topology.dead_letter
        return messages_about(self._bus, hold.subscription, hold.topic, erased, keep=keep, ahead=self._ahead)

    def _named(self, user_id: str) -> list[DocumentReference]:
        """The address comes first: without it no more mail is sent."""
        return [self._client.collection(name).document(user_document_id(user_id)) for name in (ADDRESSES, READERS)]

    def _purge(self, erased: Erased, *, dry: bool) -> dict[str, int]:
        return {
            "documents for e-mail": self._delete(self._old_documents(erased), dry=dry),
            "dead letters": len(self.letters(erased, keep=dry)),
            "positions": self._forget_positions(erased.user_id, dry=dry),
            **self._purge_here(self._state_folder, erased, dry=dry),
        }

    def _purge_here(self, folder: Path | None, erased: Erased, *, dry: bool) -> dict[str, int]:
        """Remove what the emulators alone have: messages for `listen`, and the files of the raw log."""
        if folder is None:
            return {}
        with ThreadPoolExecutor() as threads:  # each waits for a second until it knows that there is nothing
            listened = threads.map(partial(self._listened, erased, keep=dry), self._topology.topics_out)
            count = sum(map(len, listened))
        try:
            logged = sum(remove_from_log(folder / name, erased, dry=dry) for name in (RAW, BEFORE))
        except OSError as error:
            raise InfraError(f"{folder}: cannot remove lines of the raw log: {error}") from error
        return {"messages for listen": count, "lines of the raw log": logged}

    def _listened(self, erased: Erased, topic: str, *, keep: bool) -> list[Received]:
        """The messages for `listen` that an erasure takes."""
        subscription = topic + LISTEN_SUFFIX
        return messages_about(self._bus, subscription, topic, erased, keep=keep, ahead=self._ahead)

    def _old_documents(self, erased: Erased) -> "Iterator[DocumentSnapshot[Any]]":
        """The documents beside the user's own, but those of one who has come back since."""
        for each in self.documents(erased.user_id):
            if not erased.lives or standard(each.create_time) + self._ahead <= erased.at:
                yield each

    def _delete(self, documents: "Iterable[DocumentSnapshot[Any]]", *, dry: bool) -> int:
        found = list(documents)
        with client_errors("delete what is kept for e-mail"):
            for each in found if not dry else ():
                each.reference.delete(retry=None, timeout=RPC_SECONDS)
        return len(found)

    def _forget_positions(self, user_id: str, *, dry: bool) -> int:
        """Move the positions that are the user's: of the clock in a shard, and of sweeps. How many there are.

        Of one that moves at the same moment, nothing is left to move.
        """
        found = 0
        with client_errors("read positions"):
            for collection, field in ((CURSORS, "user_id"), (SWEEPS, "after")):
                for each in self._client.collection(collection).get(retry=None, timeout=RPC_SECONDS):
                    if (each.to_dict() or {}).get(field) == user_id:
                        found += 1
                        if not dry:
                            self._move(each, field, user_id)
        return found

    def _move(self, position: "DocumentSnapshot[Any]", field: str, user_id: str) -> None:
        unchanged = self._client.write_option(last_update_time=position.update_time)
        try:
            position.reference.update(
                {field: just_before(user_id)}, option=unchanged, retry=None, timeout=RPC_SECONDS
            )
        except FailedPrecondition:
            return

    def _left(self, user_id: str, at: datetime) -> UserRecord | None:
        """The user's record once it is erased up to an instant; None until then."""
        stored = read_document(self._client, user_id)
        if stored is None:
            return None
        record = record_in(stored, user_id, "Firestore", self._terms)
        return record if record.erased_at is not None and record.erased_at >= at else None

    def _until(self, found: Callable[[], T | None], seconds: float) -> T | None:
        """The result if it is found within some seconds; else None."""
        deadline = time.monotonic() + seconds
        while (result := found()) is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return result
