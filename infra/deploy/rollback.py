"""Rollback: sends the traffic of functions back to revisions that are already deployed, which takes seconds.

The next apply of Terraform undoes it, because a function then sends all traffic to its newest revision again.
See https://cloud.google.com/functions/docs/configuring/traffic-splitting.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from infra.deploy.cloud_run import FORMAT_VARIABLE, CloudRun, Revision, Service
from infra.errors import InfraError, UsageError

PREVIOUS = "previous"
DEPLOY = timedelta(hours=1)
"""The longest time that one deploy takes. Revisions that serve and are older belong to an earlier deploy."""
Deployed = Mapping[Service, Mapping[str | None, Revision]]
"""The ready revisions of each service by name, newest first."""


@dataclass(frozen=True, slots=True)
class Move:
    """The traffic of one service, from the revision that serves to another."""

    service: Service
    before: Revision
    after: Revision


def plan_rollback(
    run: CloudRun, services: Collection[str], to: str, maybe: Collection[str] = frozenset()
) -> list[Move]:
    """The moves that lead to a revision, or for `previous`, to the revisions before the newest deploy.

    Of the services, those in `maybe` need not be deployed.

    Raises `UsageError` if nothing can be moved there, and `InfraError` if a move changes the format of the stored
    document, because an older function cannot read what a newer one has written.
    """
    deployed = _deployed(run, services, maybe)
    moves = list(_to_previous(deployed) if to == PREVIOUS else _to_revision(deployed, to))
    if not moves:
        serving = ", ".join(str(service.serving) for service in deployed)
        raise UsageError(f"--to: expected another revision of a function, found {to!r}; {serving} serve")
    if refusals := list(_refusals(moves)):
        raise InfraError("; ".join(refusals))
    return moves


def carry_out(run: CloudRun, moves: list[Move]) -> None:
    """Make all moves at once. Raises `InfraError` if one fails; the others are made nevertheless."""
    with ThreadPoolExecutor(len(moves)) as pool:
        list(pool.map(lambda move: run.send_traffic(move.service, move.after.name), moves))


def _deployed(run: CloudRun, services: Collection[str], maybe: Collection[str]) -> Deployed:
    """The revisions of each service. Raises `InfraError` if a service or the revision that serves is missing."""
    found = [service for service in run.services() if service.name in {*services, *maybe}]
    if missing := sorted(set(services) - {service.name for service in found}):
        raise InfraError(f"expected a Cloud Run service for each function, found none for {', '.join(missing)}")
    ready = [each for region in {service.region for service in found} for each in run.revisions(region)]
    deployed: Deployed = {
        service: {each.name: each for each in ready if each.service == service.name} for service in found
    }
    for service, revisions in deployed.items():
        if service.serving not in revisions:
            raise InfraError(f"{service.name}: expected a ready revision that serves, found {service.serving}")
    return deployed


def _to_previous(deployed: Deployed) -> Iterator[Move]:
    """A move for each service that the newest deploy changed; the others stay."""
    newest = max(revisions[service.serving].created_at for service, revisions in deployed.items())
    for service, revisions in deployed.items():
        before = revisions[service.serving]
        older = [each for each in revisions.values() if each.created_at < before.created_at]
        if older and before.created_at > newest - DEPLOY:
            yield Move(service, before, older[0])


def _to_revision(deployed: Deployed, to: str) -> Iterator[Move]:
    for service, revisions in deployed.items():
        if to in revisions and to != service.serving:
            yield Move(service, revisions[service.serving], revisions[to])


def _refusals(moves: list[Move]) -> Iterator[str]:
    for move in moves:
        before, after = move.before.record_format, move.after.record_format
        if before is None or before != after:
            yield (
                f"{move.after.name}: expected the {FORMAT_VARIABLE} of {move.before.name}, {before or 'none'},"
                f" found {after or 'none'}; it may not read today's documents: deploy a corrected version instead"
            )
