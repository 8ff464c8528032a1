"""The closed list of reasons for which an event is rejected, as they appear in a dead letter."""

from enum import StrEnum


class RejectionReason(StrEnum):
    """A machine-readable reason, with its meaning for the team that published the event."""

    BAD_ENVELOPE = (
        "bad_envelope",
        "The request is not a Pub/Sub push. The dead letter holds the whole request body.",
    )
    TOO_LARGE = (
        "too_large",
        "The data is larger than 64 KiB. Of a request of more than 1 MB, the dead letter holds the beginning.",
    )
    NOT_JSON = "not_json", "The data is not JSON, is not UTF-8, or starts with a byte order mark."
    INVALID = (
        "invalid",
        "A field is missing or breaks its rule, or the JSON is not an object, repeats a key or nests too deep.",
    )
    UNKNOWN_VALUE = (
        "unknown_value",
        "A closed list does not have this value. Redrive the dead letter when a later version knows the value.",
    )
    UNKNOWN_TOPIC = "unknown_topic", "Upbeat reads no events from this topic."
    FUTURE_DATED = (
        "future_dated",
        "`occurred_at` is ahead of Upbeat's clock by more than the allowed clock skew (5 minutes).",
    )
    ID_REUSED = (
        "id_reused",
        "An earlier event with the same topic, `source` and `event_id` had other content.",
    )
    UNKNOWN_TRIGGER = "unknown_trigger", "The feedback names a trigger that is not among the user's recent ones."

    UNDELIVERED = (
        "undelivered",
        "No function acknowledged the message within the configured number of delivery attempts.",
    )

    meaning: str

    def __new__(cls, word: str, meaning: str) -> "RejectionReason":
        """Make a member whose value is the word, and attach its meaning."""
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.meaning = meaning
        return reason
