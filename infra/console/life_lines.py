"""The entries of a life as lines for people, each with the fields that it folds out."""

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import escape

from infra.inspect.life_timeline import Told, of_rejected
from infra.terminal import wording
from infra.terminal.reasons import why_revoked
from infra.terminal.values import is_set, line
from shared.queries.life import Life, LifeEntry, LifeKind
from shared.queries.life_entry import Body, is_held_back, is_revocation

LONGEST = 2000
"""The most characters of one value on a page."""
LINE_BYTES, FIELD_BYTES, CANDIDATE_BYTES = 450, 70, 900
"""About as many bytes as a line, a field and a candidate take on a page, beside what senders wrote."""
SAID_ELSEWHERE = frozenset({"user_id", "candidates", "message_id", "schema_version"})
"""Fields of a message that the entry or the page shows in another place."""
NAMES: Mapping[LifeKind, str] = {
    LifeKind.EVENT: "Events",
    LifeKind.FEEDBACK: "Feedback",
    LifeKind.REJECTED: "Rejected",
    LifeKind.CHANGE: "Changes",
    LifeKind.DECISION: "Decisions",
    LifeKind.TRIGGER: "Offers",
    LifeKind.EXPOSURE: "Exposures",
    LifeKind.DUE: "Time passed",
}
"""The kinds of entries, by which a page is filtered, with their names."""
KIND_WORDS: Mapping[LifeKind, str] = {LifeKind.TRIGGER: "offer", LifeKind.DUE: "time"}
"""The words for kinds whose own name is not what a reader would say."""


class Line(NamedTuple):
    """An entry as it is shown."""

    entry: LifeEntry
    kind: str
    text: str
    outcome: str
    """Its fate; empty if the text says so."""
    fields: list[tuple[str, str]]
    """The fields of the message that are set, as text; of a decision without its candidates."""

    @property
    def weight(self) -> int:
        """About as many bytes as the entry takes on a page."""
        of_fields = sum(FIELD_BYTES + len(escape(value)) for _, value in self.fields)
        of_candidates = CANDIDATE_BYTES * len(self.entry.body.get("candidates", ()))
        return LINE_BYTES + len(escape(self.text)) + of_fields + of_candidates


class Lines:
    """Makes the lines of a life's entries, which tell of each other."""

    def __init__(self, life: Life) -> None:
        self._told = Told(life)

    def of(self, entry: LifeEntry) -> Line:
        """The line of an entry."""
        return Line(
            entry,
            KIND_WORDS.get(entry.kind, entry.kind.value),
            _short(self.text(entry)),
            _outcome(entry),
            _fields_of(entry),
        )

    def text(self, entry: LifeEntry) -> str:
        """The entry in one line."""
        body = entry.body
        match entry.kind:
            case LifeKind.EVENT | LifeKind.FEEDBACK:
                return self._told.of_event(entry)
            case LifeKind.REJECTED:
                return of_rejected(entry)
            case LifeKind.CHANGE:
                return wording.of_change(body)
            case LifeKind.DECISION:
                return _of_decision(body)
            case LifeKind.TRIGGER:
                verb = "revoked " if is_revocation(body) else ""
                return f"{verb}{wording.of_trigger(body)}"
            case LifeKind.EXPOSURE:
                return _of_exposure(entry)
            case LifeKind.DUE:
                return "the clock looked at this user"


def _fields_of(entry: LifeEntry) -> list[tuple[str, str]]:
    said = SAID_ELSEWHERE | {"data_base64"} if entry.body.get("event") else SAID_ELSEWHERE
    body = {name: value for name, value in entry.body.items() if name not in said and is_set(value)}
    fields = [(name, _short(line(value))) for name, value in body.items()]
    if entry.published_at:
        fields.append(("published", f"{entry.published_at:%Y-%m-%d %H:%M:%S} UTC"))
    return [*fields, ("topic", entry.topic)]


def _outcome(entry: LifeEntry) -> str:
    """The fate of an offer; of other entries the line says it."""
    if entry.kind is not LifeKind.TRIGGER:
        return ""
    return why_revoked(entry.note) if is_revocation(entry.body) else entry.note


def _of_decision(body: Body) -> str:
    moments = ", ".join(dict.fromkeys(map(wording.of_moment, body["candidates"]))) or ", ".join(body["moments"])
    issued = [one["campaign_id"] for one in body["candidates"] if one["outcome"] == "issued"]
    others = len(body["candidates"]) - len(issued)
    won = f"{', '.join(issued)} won" if issued else "nobody won"
    return f"{moments}: {won}" + (f", {others} did not" if others and issued else "")


def _of_exposure(entry: LifeEntry) -> str:
    if is_held_back(entry.body):
        return f"{entry.body['campaign_id']} was held back: {wording.with_short_times(entry.note)}"
    return f"{entry.body['campaign_id']}: {entry.body['kind']}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
