"""The state that a consumer keeps of Upbeat's messages, in SQLite: offers and access, in any order of delivery."""

import sqlite3
from datetime import datetime
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS seen (message_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS offers (
    trigger_id TEXT PRIMARY KEY, user_id TEXT, placement TEXT, offer_id TEXT, expires_at TEXT, sequence INTEGER,
    revoked INTEGER
);
CREATE TABLE IF NOT EXISTS access (user_id TEXT PRIMARY KEY, entitled INTEGER, sequence INTEGER);
"""


class Inbox:
    """The state that messages lead to. A message is applied in one transaction with the note that it was seen."""

    def __init__(self, file: str = ":memory:") -> None:
        self.db = sqlite3.connect(file)
        self.db.executescript(TABLES)

    def apply(self, topic: str, message: dict[str, Any]) -> bool:
        """Apply a message of `upsell-trigger` or `subscription-change`; False if it was applied before."""
        with self.db:
            seen = self.db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (message["message_id"],))
            if seen.rowcount == 0:
                return False
            if topic == "upsell-trigger":
                self._apply_trigger(message)
            else:
                self._apply_change(message)
        return True

    def offers(self, user_id: str, now: datetime) -> list[dict[str, Any]]:
        """The offers to show a user at `now` (UTC), the newest first."""
        rows = self.db.execute(
            "SELECT placement, offer_id, trigger_id, expires_at FROM offers WHERE user_id = ? AND NOT revoked"
            " ORDER BY sequence DESC",
            (user_id,),
        )
        names = ("placement", "offer_id", "trigger_id")
        return [dict(zip(names, row, strict=False)) for row in rows if datetime.fromisoformat(row[3]) > now]

    def has_access(self, user_id: str) -> bool:
        """True if the user may listen, by the newest message about the user."""
        row = self.db.execute("SELECT entitled FROM access WHERE user_id = ?", (user_id,)).fetchone()
        return bool(row and row[0])

    def users(self) -> list[str]:
        """Everybody of whom something is known."""
        return [user for (user,) in self.db.execute("SELECT user_id FROM offers UNION SELECT user_id FROM access")]

    def _apply_trigger(self, message: dict[str, Any]) -> None:
        """Note an offer, or that it was taken back: `revoked` is final, also if `issued` comes after it."""
        names = ("trigger_id", "user_id", "placement", "offer_id", "expires_at", "sequence")
        self.db.execute(
            "INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (trigger_id) DO UPDATE SET revoked = max(revoked, excluded.revoked)",
            (*(message[name] for name in names), message["kind"] == "revoked"),
        )

    def _apply_change(self, message: dict[str, Any]) -> None:
        """Note the access of a user, unless a newer message told it: the greater `sequence` is the newer."""
        self.db.execute(
            "INSERT INTO access VALUES (?, ?, ?) ON CONFLICT (user_id)"
            " DO UPDATE SET entitled = excluded.entitled, sequence = excluded.sequence"
            " WHERE excluded.sequence > access.sequence",
            (message["user_id"], message["user_entitled"], message["sequence"]),
        )
