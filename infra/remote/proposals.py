"""Catalogs that await an approval, in Firestore."""

from dataclasses import dataclass
from typing import Any

from google.cloud.firestore import Client

from infra.errors import UsageError
from infra.remote.firestore import client_errors
from shared.adapters.gcp.paths import PROPOSALS, is_version
from shared.adapters.gcp.rpc import RPC_SECONDS


@dataclass(frozen=True, slots=True)
class Proposal:
    """A catalog that is valid, and that somebody else than its authors may put in force."""

    version: str
    catalog: dict[str, Any]
    authors: tuple[str, ...]
    approved_by: str | None
    """The person who has approved it; None while it waits."""

    def is_by(self, name: str) -> bool:
        """True for one of its authors, however the name is written."""
        return _plain(name) in map(_plain, self.authors)


def proposal(client: Client, version: str) -> Proposal:
    """The proposal of a version. Raises `UsageError` if there is none, and `InfraError` if Firestore fails."""
    fields = None
    if is_version(version):
        with client_errors("read the proposal"):
            document = client.collection(PROPOSALS).document(version)
            fields = document.get(retry=None, timeout=RPC_SECONDS).to_dict()
    if not fields:
        raise UsageError(f"{PROPOSALS}/{version}: expected a catalog that awaits an approval, found none")
    authors = tuple(map(str, fields.get("authors", ())))
    return Proposal(version, fields["catalog"], authors, fields.get("approved_by"))


def mark_approved(client: Client, version: str, by: str) -> None:
    """Note who has approved a proposal. Raises `InfraError` if Firestore fails."""
    with client_errors("note the approval"):
        document = client.collection(PROPOSALS).document(version)
        document.update({"approved_by": by}, retry=None, timeout=RPC_SECONDS)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
