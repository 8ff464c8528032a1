"""The text of a clause: its literals, and the names of scores, attributes and campaigns in it."""

import re
from typing import NamedTuple

_QUOTED = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
LITERAL = re.compile(_QUOTED)
"""A text in quotes, which is no code."""
_HYPHENED = r"\w+(?:-[A-Za-z_]\w*(?![\w.(]))+"
"""A name with a hyphen, as in `scores.churn-risk`. `-now()`, `-scores.x` and `-0.5` subtract something."""
_NAME = rf"(?:\.\s*({_HYPHENED}|\w+)|\[\s*({_QUOTED})\s*\])"
_OF_OFFERS = re.compile(
    rf"{_QUOTED}|//[^\n]*|(?<![.\w])(offers)\b"
    rf"(?:\s*(?:\.\s*(\w+)|\[\s*({_QUOTED})\s*\])\s*(?:\.\s*(\w+)\b|\[\s*({_QUOTED})\s*\])(?!\s*[.\[]))?"
)
"""A campaign and a field, as in `offers.win_back.issued`; without both, the map itself."""
_CAMPAIGN = re.compile(rf"{_QUOTED}|(?<![.\w])offers\s*\.\s*((?:\w+-[\w-]+|\d\w*)(?=\s*[.\[]))")
"""A campaign whose name CEL would not read: it has a hyphen, or begins with a digit. A field follows it."""
_SCORE = re.compile(rf"\bscores\s*{_NAME}")
_MAPS = r"scores|features|profile\s*\.\s*attributes"
_IN_A_MAP = re.compile(rf"{_QUOTED}|\b(has\s*\(\s*)?({_MAPS})\s*\.\s*({_HYPHENED})(?(1)\s*\))")
DECLARED_USE = re.compile(rf"{_QUOTED}|//[^\n]*|(?<![\w.])(profile\s*\.\s*attributes|features)\b(?:\s*{_NAME})?")
"""A use of an attribute or a feature: the map, and a name, plain or in quotes.

Also literals and comments, in which there are none.
"""


def scores_in(text: str) -> list[str]:
    """The names of the scores that a clause uses."""
    return [name or quoted[1:-1] for name, quoted in _SCORE.findall(text)]


class OfOffers(NamedTuple):
    """A fact that a clause asks about the offers of a campaign; empty names if it asks for the map itself."""

    campaign: str
    field: str


def offers_in(text: str) -> list[OfOffers]:
    """The facts about offers that a clause uses."""
    if "offers" not in text:  # as in most clauses, which are read often
        return []
    found = (one.groups(default="") for one in _OF_OFFERS.finditer(with_quoted_names(text)))
    return [
        OfOffers(id_ or quoted_id[1:-1], name or quoted[1:-1])
        for used, id_, quoted_id, name, quoted in found
        if used
    ]


def attributes_in(text: str) -> list[str | None]:
    """The names of the attributes that a clause uses; None where it uses all of them, or computes a name."""
    return _declared_in(text, "attributes")


def features_in(text: str) -> list[str | None]:
    """The names of the features that a clause uses; None where it uses all of them, or computes a name."""
    return _declared_in(text, "features")


def _declared_in(text: str, kind: str) -> list[str | None]:
    if kind not in text:  # as in most clauses, which are read often
        return []
    uses = (found.groups() for found in DECLARED_USE.finditer(text) if found[1] and found[1].endswith(kind))
    return [name or (quoted[1:-1] if quoted else None) for _, name, quoted in uses]


def with_quoted_names(text: str) -> str:
    """A clause in which names with a hyphen are quoted, as CEL wants them: `scores["churn-risk"]`.

    Without quotes CEL would subtract `risk` from `scores.churn`. With spaces around it, a hyphen is a minus.
    """
    if "offers" in text:
        text = _CAMPAIGN.sub(lambda found: f'offers["{found[1]}"]' if found[1] else found[0], text)
    return _IN_A_MAP.sub(_quoted, text)


def _quoted(found: re.Match[str]) -> str:
    asked, section, name = found.groups()
    if name is None:  # a literal
        return found[0]
    return f'("{name}" in {section})' if asked else f'{section}["{name}"]'
