"""Shelves: where the library keeps scores and policies in Firestore, for those who read and those who publish."""

from typing import NamedTuple


class Shelved(NamedTuple):
    """Where the library keeps a JSON text in Firestore."""

    collection: str
    id: str
    field: str
    text: str = ""
    is_final: bool = False
    """What is there is never replaced by something else."""


def of_score(name: str, version: int, text: str = "") -> Shelved:
    """The place of an artifact, which never changes."""
    return Shelved("scores", f"{name}.{version}", "artifact", text, is_final=True)


def of_policy(name: str, text: str = "") -> Shelved:
    """The place of a policy, which may change at any time."""
    return Shelved("policies", name, "policy", text)
