"""Why an event was refused: the closed list of words that stand in a dead letter."""

from enum import StrEnum


class RejectionReason(StrEnum):
    """A word for machines, and what it means to the team that published the event."""

    BAD_ENVELOPE = "bad_envelope", "The request is not a Pub/Sub push; the dead letter holds its whole body."
    TOO_LARGE = "too_large", "The data is over 64 KiB."
    NOT_JSON = "not_json", "The data is not JSON in UTF-8 without a byte order mark."
    INVALID = "invalid", "A field is missing or breaks its rule, a key occurs twice, or the JSON nests too deep."
    UNKNOWN_VALUE = "unknown_value", "A closed list does not have this value yet: redrive it to a later version."
    UNKNOWN_TOPIC = "unknown_topic", "No event of Upbeat travels on this topic."
    FUTURE_DATED = "future_dated", "It happened later than now, by more than the clock skew allowed (5 minutes)."
    ID_REUSED = "id_reused", "Another event of this topic and source came first under the same event_id."
    UNKNOWN_TRIGGER = "unknown_trigger", "The feedback names a trigger that is not among the user's recent ones."

    UNDELIVERED = "undelivered", "No function acknowledged it in as many attempts as it is given."

    meaning: str

    def __new__(cls, word: str, meaning: str) -> "RejectionReason":
        """Make a member of its word, with its meaning beside it."""
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.meaning = meaning
        return reason
