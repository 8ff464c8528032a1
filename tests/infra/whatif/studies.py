"""What-if studies of small histories, with small catalogs."""

import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.catalog.load import load_catalog
from infra.replay.replay import replay
from infra.replay.switch import Switch
from infra.whatif.catalog_replay import CatalogReplay
from infra.whatif.result import WhatIf
from infra.whatif.study import what_if
from tests.support.replays import START, payment, write

Json = dict[str, Any]
SWITCH_AT = START + timedelta(days=15)
CATALOG: Json = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {id_: {"cms_ref": id_, "validity_hours": 24} for id_ in "abc"},
    "campaigns": {
        "deal": {
            "offer": "c",
            "placement": "banner",
            "moments": ["activated", "renewed"],
            "priority": 80,
            "experiment": "price",
        }
    },
    "experiments": {"price": {"variants": [{"id": id_, "weight": 0.5, "offer": id_} for id_ in "ab"]}},
}
USERS = 60


def history(first: int = 0, days: float = 0, users: int = USERS) -> list[Json]:
    """Users who pay for their first period that many days after the start, and for a second one."""
    ids = [f"u{number}" for number in range(first, first + users)]
    started = [payment(id_, days, event_id="first") for id_ in ids]
    return started + [payment(id_, days + 30, event_id="second") for id_ in ids]


def changed(**sections: Any) -> Json:
    """The catalog with entries of its sections replaced or added."""
    content = deepcopy(CATALOG)
    for section, entries in sections.items():
        content.setdefault(section, {})
        for id_, entry in entries.items():
            content[section][id_] = (
                {**content[section].get(id_, {}), **entry} if isinstance(entry, dict) else entry
            )
    return content


def weighted(**weights: float) -> Json:
    """Experiment `price` with variants of these weights."""
    variants = [{"id": id_, "weight": weight, "offer": id_} for id_, weight in weights.items()]
    return {"price": {"variants": variants}}


def study(folder: Path, lines: list[Json], after: Json, *, before: Json = CATALOG, switch: bool = True) -> WhatIf:
    """The study of a history in which one catalog replaces another after 15 days; or each holds throughout."""
    events = write(folder / "events.jsonl", sorted(lines, key=lambda line: str(line["data"]["occurred_at"])))
    files = [folder / "before.json", folder / "after.json"]
    for file, content in zip(files, (before, after), strict=True):
        file.write_text(json.dumps(content))
    catalog = Switch(*files, SWITCH_AT) if switch else files[1]
    old = replay(events, folder / "old", files[0], keep_store=True)
    new = replay(events, folder / "new", catalog, keep_store=True)
    return what_if(
        CatalogReplay(folder / "old", old, load_catalog(files[0])),
        CatalogReplay(folder / "new", new, load_catalog(files[1])),
        examples=0,
        switch_at=SWITCH_AT if switch else None,
    )
