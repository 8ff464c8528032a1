"""Receiving from the outgoing topics of a running Upbeat."""

from infra.remote.pubsub import LISTEN_SUFFIX, Bus, Received

PULL_SECONDS = 1.2
"""The deadline of a pull. The emulator answers an empty pull one second early, so after 0.2 s.

A much shorter deadline may pass on a busy machine while a message is on its way; it then comes again after 10 s.
"""


def pull(bus: Bus, topic: str) -> list[Received]:
    """The messages that wait on an outgoing topic, acknowledged."""
    received = bus.pull(topic + LISTEN_SUFFIX, wait=PULL_SECONDS)
    bus.ack(topic + LISTEN_SUFFIX, received)
    return received
