"""What both protocols have in common: the user who is asked about, and the comparison with a bare get."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import quantiles
from typing import NamedTuple, Self

from infra.catalog.load import artifacts_of, load_catalog
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.record.codec import pack
from shared.record.user_record import UserRecord
from tests.bench.report import Result
from tests.support.story import paid

USER = "user-1"
AT_ONCE = (8, 32)
GOAL = 1.5
"""The ratio of the p99 that is to be reached at most."""
PAYMENTS = 12
OURS, BARE = "ours", "a bare get"


class Turn(NamedTuple):
    """What one server did in one turn."""

    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    cpu: float
    """Microseconds per call."""

    @classmethod
    def of(cls, latencies: Sequence[float], cpu_seconds: float) -> Self:
        """The turn with calls of these latencies (milliseconds), for which the server spent so much CPU time."""
        percentiles = quantiles(latencies, n=100, method="inclusive")
        return cls(percentiles[49], percentiles[98], cpu_seconds / len(latencies) * 1e6)


def store(endpoints: Endpoints) -> str:
    """Store a user who pays every month. Returns the full name of the document."""
    catalog, client = load_catalog(), emulator_client(endpoints)
    publish_catalog(client, catalog, artifacts_of(catalog))
    history = History()
    for month in range(PAYMENTS):
        history = history.add(paid(30 * month), Terms()).history
    blob = pack(UserRecord(USER, history=history))
    reference = client.collection(SUBSCRIPTIONS).document(user_document_id(USER))
    reference.set({"user_id": USER, "blob": blob, "summary": {}})
    return f"projects/{endpoints.project}/databases/(default)/documents/{reference.path}"


def compared(protocol: str, measured: Mapping[tuple[int, str], list[Turn]]) -> Iterator[Result]:
    """The comparison of what was measured, by the number of calls at once and the server."""
    for at_once in AT_ONCE:
        ours, bare = (measured[at_once, name] for name in (OURS, BARE))
        for field, unit, goal in (("p99", "ms", GOAL), ("p50", "ms", None), ("cpu", "µs", None)):
            mine, others = ([getattr(turn, field) for turn in turns] for turns in (ours, bare))
            what = f"GetEntitlement over {protocol}, {at_once} at once, {field if field != 'cpu' else 'CPU'}"
            yield Result("api", what, unit, mine, BARE, others, goal)
