"""Entries: the parts of a catalog as an editor keeps them, one by one, in a CMS or in a folder of files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shared.decisioning.document.problems import guess, problem

SECTIONS = (
    *("channels", "placements", "offers", "attributes", "features", "audiences", "campaigns"),
    *("experiments", "holdouts", "scores"),
)
"""The sections of a catalog whose entries have ids."""
SETTINGS = "settings"
"""The section of the one entry that holds what concerns the whole catalog."""
SECTION_OF = {section.removesuffix("s"): section for section in SECTIONS} | {SETTINGS: SETTINGS}
"""The section of each type of entry, as a CMS names it: `offer` for `offers`."""
SETTINGS_FIELDS = ("kill_switch", "time_zone", "milestones")
MAX_ENTRIES = 3_000
"""The most entries that are read: more than a catalog may have in all its sections."""

_PATH = re.compile(r"([a-z_]+)(?:\.([^.\[:]+))?")


class Entry(NamedTuple):
    """One part of a catalog."""

    section: str
    """One of `SECTIONS`, or `SETTINGS`."""
    id: str
    fields: Mapping[str, Any]
    """JSON values, named as in the catalog."""
    place: str
    """The place at which an editor finds it: a file, or an address."""
    author: str | None = None
    """The person who wrote it; None if the source does not tell."""
    approved_by: str | None = None
    """The person who approved it in the source's own workflow; None if nobody did."""


class Mistake(NamedTuple):
    """One mistake, with the place at which it can be mended."""

    place: str
    """The place of the entry; empty if the mistake is in no entry."""
    problem: str
    """The sentence: path, expected, found."""


class Assembled(NamedTuple):
    """A catalog made of entries."""

    content: dict[str, Any]
    """As `compile_catalog` takes it."""
    places: Mapping[tuple[str, str], str]
    """The place of each entry, by section and id; that of a setting by the setting's name."""
    mistakes: list[Mistake]
    """The mistakes that keep the entries from being one catalog."""

    def located(self, problems: Sequence[str]) -> list[Mistake]:
        """Problems of the catalog, each with the place of its entry."""
        return [Mistake(self._place(each), each) for each in problems]

    def _place(self, sentence: str) -> str:
        if not (match := _PATH.match(sentence)):
            return ""
        section, id_ = match[1], match[2] or ""
        return self.places.get((section, id_)) or self.places.get((section, ""), "")


def assemble(entries: Sequence[Entry]) -> Assembled:
    """The catalog that entries make, and each mistake that no catalog could show: a second entry of one id."""
    content: dict[str, Any] = {}
    places: dict[tuple[str, str], str] = {}
    mistakes: list[Mistake] = []
    if len(entries) > MAX_ENTRIES:
        mistakes.append(Mistake("", f"catalog: expected at most {MAX_ENTRIES} entries, found {len(entries)}"))
    for entry in entries[:MAX_ENTRIES]:
        if entry.section == SETTINGS:
            mistakes += _add_settings(entry, content, places)
            continue
        path, key = f"{entry.section}.{entry.id}", (entry.section, entry.id)
        if key in places:
            found = f"one here and one at {places[key]}"
            mistakes.append(Mistake(entry.place, f"{path}: expected each id once, found {found}"))
            continue
        places[key] = entry.place
        content.setdefault(entry.section, {})[entry.id] = dict(entry.fields)
    return Assembled(content, places, mistakes)


def _add_settings(entry: Entry, content: dict[str, Any], places: dict[tuple[str, str], str]) -> Iterator[Mistake]:
    for name, value in entry.fields.items():
        if name not in SETTINGS_FIELDS:
            suggestion = guess(name, SETTINGS_FIELDS)
            expected = f"one of {', '.join(SETTINGS_FIELDS)}{suggestion}"
            yield Mistake(entry.place, problem(f"{SETTINGS}.{name}", expected, value))
        elif name in content:
            found = f"one here and one at {places[name, '']}"
            yield Mistake(entry.place, f"{SETTINGS}.{name}: expected each setting once, found {found}")
        else:
            content[name], places[name, ""] = value, entry.place
