"""`smoke`: prove that a running Upbeat works, from a published event to the messages that come out."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_result

if TYPE_CHECKING:
    from infra.deploy.smoke import SmokeResult


def smoke(
    project: Project = None,
    seconds: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="The longest wait in seconds.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Send one trial start through Upbeat; wait for its messages.

    Publishes the trial start of a new user whose id starts with upbeat-smoke-, and waits on subscriptions of its
    own for the user's subscription-change. Where the default catalog is in force, it waits for the upsell-trigger
    too. Then it removes the user's document and the subscriptions; Pub/Sub removes them after a day if the command
    is killed.

    Exit codes: 0 if every message arrived, 1 if one is missing or something fails.

    For example:

        upbeat smoke --project my-project --seconds 60
    """
    from infra.deploy.smoke import smoke as run
    from infra.remote.firestore import client_of
    from infra.terminal.progress import spinner

    with spinner("waiting for the messages"):
        result = run(bus_of(project), client_of(project), seconds=seconds)
    print_result(_text(result), as_json=as_json, facts=_facts(result))
    if result.missing:
        raise typer.Exit(1)


def _facts(result: "SmokeResult") -> dict[str, Any]:
    return {"passed": not result.missing, **asdict(result)}


def _text(result: "SmokeResult") -> str:
    lines = [f"{topic} arrived after {seconds:.1f} s" for topic, seconds in result.arrived.items()]
    lines += [f"{topic} did not arrive" for topic in result.missing]
    if "upsell-trigger" not in {*result.arrived, *result.missing}:
        lines.append(f"upsell-trigger not expected: {result.catalog_version or 'no catalog'} is in force")
    if result.missing:
        lines.append("smoke test failed: see the functions' logs, and dead letters with: upbeat redrive")
    else:
        lines.append("smoke test passed")
    return "\n".join(lines)
