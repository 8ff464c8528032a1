import pytest

from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports
from infra.remote.pubsub import Bus


def test_a_bus_that_is_not_there_is_an_error_that_says_what_was_tried():
    (port,) = free_ports(1)
    bus = Bus.of_emulator(Endpoints("upbeat-local", f"{LOCALHOST}:{port}", ""))
    with pytest.raises(InfraError, match="cannot publish to payment in project upbeat-local: "):
        bus.publish("payment", b"{}")
    bus.close()
