"""Recall: the records of the users heard of last, so that a document that nobody changed is not unpacked again."""

from shared.record.codec import unpack
from shared.record.user_record import UserRecord


class RecordCache:
    """The last records of at most so many users. One is believed only while the store gives the very same blob."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: dict[str, tuple[bytes, UserRecord]] = {}
        """By user id, the one kept last at the end."""

    def record(self, user_id: str, blob: bytes | None) -> UserRecord:
        """The record in a blob; a new one where there is none. Raises `UnreadableRecord`."""
        if blob is None:
            return UserRecord(user_id)
        known_blob, known = self._known.get(user_id, (None, None))
        return known if known and known_blob == blob else unpack(blob)

    def keep(self, blob: bytes, record: UserRecord) -> None:
        """Remember what was committed, instead of the user heard of longest ago."""
        self._known.pop(record.user_id, None)
        self._known[record.user_id] = blob, record
        if len(self._known) > self.most:
            del self._known[next(iter(self._known))]
