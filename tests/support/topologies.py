"""The table of topics and functions, changed for tests."""

from typing import Any

from infra.topology import Topology


def with_each_function(topology: Topology, **changes: Any) -> Topology:
    """A copy with some columns of every function replaced: tests shorten the back-off this way."""
    rows = {name: row.model_dump() | changes for name, row in topology.functions.items()}
    return Topology.model_validate(topology.model_dump() | {"functions": rows})
