import pytest
from google.api_core import exceptions

from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST, Endpoints, free_ports
from infra.remote.pubsub import Bus


def test_a_bus_that_is_not_there_is_an_error_that_says_what_was_tried():
    (port,) = free_ports(1)
    bus = Bus.of_emulator(Endpoints("upbeat-local", f"{LOCALHOST}:{port}", ""))
    with pytest.raises(InfraError, match="cannot publish to payment in project upbeat-local: "):
        bus.publish("payment", b"{}")
    bus.close()


@pytest.mark.parametrize("error", [exceptions.DeadlineExceeded("time is up"), exceptions.Cancelled("reset")])
def test_a_pull_whose_time_is_up_brings_nothing(error):
    class Subscriber:
        def pull(self, **_):
            raise error

    assert Bus("p", None, Subscriber()).pull("s", wait=0.001) == []
