"""`listen`: print the messages that Upbeat publishes."""

import json
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, bus_of, print_result

if TYPE_CHECKING:
    from infra.remote.pubsub import Received


def listen(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="An outgoing topic, such as upsell-trigger.")],
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop after this many messages.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Stop after this many seconds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the messages of an outgoing topic, until Ctrl-C.

    Reads the running emulators, and starts with the messages that nobody has listened to yet. Prints each message
    once: its publish time and its JSON. Several listeners share the messages. Listening to dead-letter takes no
    letter away from redrive.

    For example:

        upbeat listen upsell-trigger --count 2 --seconds 20
    """
    from infra.topology import known, load

    known(topic, load().topics_out, "outgoing topic")
    for message in bus_of(None).listen(topic, count or inf, inf if seconds is None else seconds):
        facts = _facts(message)
        text = f"{facts['publish_time']}  {json.dumps(facts['data'], ensure_ascii=False)}"
        print_result(text, as_json=as_json, facts=facts)


def _facts(message: "Received") -> dict[str, Any]:
    """A message as a JSON object. Data that is not JSON appears as text."""
    try:
        data = message.json
    except ValueError:
        data = message.data.decode(errors="replace")
    return {
        "message_id": message.message_id,
        "publish_time": message.publish_time.isoformat(),
        "attributes": dict(message.attributes),
        "data": data,
    }
