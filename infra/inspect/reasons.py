"""The reason of a rejection, one sentence for each field that it is about."""

import re

_NEXT = re.compile(r"; (?=[\w.\[\]-]+: expected )")
_PATH = re.compile(r"([A-Za-z_][\w.\[\]-]*): ")


def by_field(detail: str) -> dict[str, str]:
    """The sentences of a rejection by the path of their field, such as `profile.country`.

    Those that name none, as for data that is no JSON, are under the empty path.
    """
    found: dict[str, str] = {}
    for sentence in _NEXT.split(detail) if detail else ():
        path = _PATH.match(sentence)
        name = path[1] if path else ""
        found[name] = f"{found[name]}; {sentence}" if name in found else sentence
    return found


def at_top(path: str) -> str:
    """The field of the event that a path begins with."""
    return path.partition(".")[0].partition("[")[0]
