"""Announcing the catalog in force on `catalog-published`."""

from google.cloud.firestore import Client

from infra.errors import InfraError
from infra.remote.firestore import publication_in_force
from infra.remote.pubsub import Bus
from shared.contracts.outbound.message import Message


class NotAnnounced(InfraError):
    """The catalog is in force, and the message that says so was not sent."""


def announce(client: Client, bus: Bus) -> Message | None:
    """Publish the message about the catalog in force, and return it; None if there is no catalog.

    Sent again, it has the same id. Raises `NotAnnounced` if Pub/Sub or Firestore fails.
    """
    try:
        published = publication_in_force(client)
        if published is None:
            return None
        message = published.message()
        bus.publish(message.topic, message.data, message.attributes())
    except InfraError as error:
        raise NotAnnounced(f"the catalog is in force, but catalog-published was not sent: {error}") from error
    return message
