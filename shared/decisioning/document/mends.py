"""Mends: what to write in place of what people write who know other systems."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from shared.decisioning.document.clause_text import LITERAL

_CONDITION = re.compile(r"[.=<>!&|()]")
_LIMIT = re.compile(
    r"(\d+)(?:\s*(?:x|times))?(?:\s*(?:per|an?|in|every|/)?\s*(\d*)\s*(day|week|month|quarter|year)s?)?"
)
_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_ON, _OFF, _OVER = ("live", "running", "approved"), ("paused", "stopped", "archived"), ("archived", "stopped")
_MEANT: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("active", "enabled", "on", "true", "started", "published", "live", "running"), _ON),
    **dict.fromkeys(("inactive", "disabled", "off", "false", "suspended", "paused", "stopped"), _OFF),
    **dict.fromkeys(("ended", "finished", "over", "deleted"), _OVER),
}
"""Words for a state in other systems, with what is meant here. YAML reads `on` and `off` as true and false."""
_INSTEAD: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?<![=!<>])=(?!=)"), "`==` instead of ="),
    (re.compile(r"<>"), "`!=` instead of <>"),
    (re.compile(r"\bis\s+not\s+null\b", re.IGNORECASE), "`!= null` instead of IS NOT NULL"),
    (re.compile(r"\bis\s+null\b", re.IGNORECASE), "`== null` instead of IS NULL"),
    (re.compile(r"\band\b", re.IGNORECASE), "`&&` instead of AND"),
    (re.compile(r"\bor\b", re.IGNORECASE), "`||` instead of OR"),
    (re.compile(r"(?<!\bis )\bnot\b", re.IGNORECASE), "`!` instead of NOT"),
    (re.compile(r"(?<!\.)\bTrue\b"), "`true` instead of True"),
    (re.compile(r"(?<!\.)\bFalse\b"), "`false` instead of False"),
    (re.compile(r"(?<![.sStT])(?<![sStT] )\b(?:None|NULL|nil)\b"), "`null`, as CEL writes it"),
]
"""Words and signs of other languages, with those of CEL."""
_DATE = re.compile(r"""["'](\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))|[T ][^"']*)?["']""")


def mended_field(name: str, found: object) -> str | None:
    """The expected value of a campaign's field in which people write something else; None if none is known."""
    if name == "audience" and (not isinstance(found, str) or _CONDITION.search(found)):
        return "the name of one of the audiences, in which clauses are written (audiences.NAME.all)"
    if name == "cap" and isinstance(found, str | int | float):
        return f"a cap such as {_cap(str(found))}, or a list of caps"
    if name == "moments" and isinstance(found, dict):
        for moment, campaign in found.items():  # YAML reads `feedback.clicked: banner` as a map
            if isinstance(campaign, str | None):
                return f"{moment}:{campaign or 'CAMPAIGN'}, without a space after the colon"
    return None


def meant_word(words: Iterable[str], found: object) -> str | None:
    """The one of a few words that is meant by the word of another system; None if none is known."""
    meant = _MEANT.get(str(found).lower(), ())
    return next((word for word in meant if word in [*words]), None)


def mended_clause(text: str) -> str | None:
    """The expected value of a clause that is no CEL but another language; None if it is not."""
    code = LITERAL.sub("''", text)
    found = [mend for pattern, mend in _INSTEAD if pattern.search(code)]
    return " and ".join(found) or None


def mended_time(text: str) -> str | None:
    """The expected value of a clause that compares a time with a date in quotes; None if there is no date."""
    if not (date := _DATE.search(text)):
        return None
    time = f"{date[1]}{date[2] or 'T00:00:00Z'}"
    return f"timestamp('{time}') instead of {date[0]}, which is text and no time"


def _cap(found: str) -> str:
    """A cap as YAML, from words such as `1 per year`."""
    limit = _LIMIT.search(found.lower())
    if not limit:
        return json.dumps({"max": 1, "window_days": 365}).replace('"', "")
    cap = {"max": int(limit[1])}
    if limit[3]:
        cap["window_days"] = int(limit[2] or 1) * _DAYS[limit[3]]
    return json.dumps(cap).replace('"', "")
