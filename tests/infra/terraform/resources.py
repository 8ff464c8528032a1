"""Terraform's resources, as its JSON shows them in a plan or in a state."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """One instance of a resource, with its planned or applied values."""

    type: str
    name: str
    key: str | None
    values: dict[str, Any]


def read(file: Path) -> Document:
    """A plan or a state, as `terraform show -json` writes it."""
    return json.loads(file.read_text())


def resources(document: Document) -> list[Resource]:
    """The managed resources of a state, or those that a plan leads to."""
    values = document.get("values") or document["planned_values"]
    return [
        Resource(each["type"], each["name"], each.get("index"), each["values"])
        for each in values["root_module"]["resources"]
        if each["mode"] == "managed"
    ]


def of_type(found: list[Resource], type_: str, name: str | None = None) -> list[Resource]:
    """The resources of one type, and of one name if given."""
    return [each for each in found if each.type == type_ and name in (None, each.name)]


def changes(plan: Document) -> dict[str, list[str]]:
    """The actions of a plan by the address of the resource; resources that stay as they are left out."""
    actions = {each["address"]: each["change"]["actions"] for each in plan["resource_changes"]}
    return {address: action for address, action in actions.items() if action not in (["no-op"], ["read"])}


def differences(expected: Any, found: Any, at: str) -> Iterator[str]:
    """Sentences about the parts of two values that are not equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from differences(expected.get(key), found.get(key), f"{at} {key}".strip())
    elif expected != found:
        yield f"{at}: expected {expected}, found {found}"
