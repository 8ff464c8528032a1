"""Receiving from the outgoing topics of a running Upbeat."""

from infra.remote.pubsub import LISTEN_SUFFIX, Bus, Received

PULL_SECONDS = 1.2
"""The deadline of a pull. The emulator answers an empty pull one second early, which is after 0.2 s.

On a busy machine a much shorter deadline may pass while a message is on its way, which then comes 10 s later.
"""


def pull(bus: Bus, topic: str) -> list[Received]:
    """The messages that wait on an outgoing topic, acknowledged."""
    received = bus.pull(topic + LISTEN_SUFFIX, wait=PULL_SECONDS)
    bus.ack(topic + LISTEN_SUFFIX, received)
    return received
