"""`listen`: print what Upbeat publishes."""

import json
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, bus_of, say

if TYPE_CHECKING:
    from infra.remote.pubsub import Received


def listen(
    topic: Annotated[str, typer.Argument(help="An outgoing topic, such as upsell-trigger.")],
    count: Annotated[int | None, typer.Option(min=1, help="Stop after this many messages.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after this many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what the running emulators publish on an outgoing topic, until Ctrl-C.

    It begins with what was published while nobody listened. Each message is printed once, whoever listens;
    listening to dead-letter takes no letter away from redrive.
    """
    from infra.topology import known, load

    known(topic, load().topics_out, "outgoing topic")
    for message in bus_of(None).listen(topic, count or inf, inf if seconds is None else seconds):
        facts = _facts(message)
        text = f"{facts['publish_time']}  {json.dumps(facts['data'], ensure_ascii=False)}"
        say(text, as_json=as_json, facts=facts)


def _facts(message: "Received") -> dict[str, Any]:
    """A message as JSON has it; data that is no JSON is shown as text."""
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
