"""`redrive`: send dead letters back to the topics they came from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, say

if TYPE_CHECKING:
    from infra.remote.dead_letters import Redrive


def redrive(
    reason: Annotated[str | None, typer.Option(help="Only letters of this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many letters.")] = 1000,
    dry: Annotated[bool, typer.Option("--dry-run/--go", help="Only say what would be sent, or send it.")] = True,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to the topics they came from; without --go, only say which.

    Letters of the reason "undelivered" are those Pub/Sub gave up on by itself. A letter leaves the dead letter
    only once it is published again; whatever is not sent stays.
    """
    from infra.remote.dead_letters import redrive as send_back
    from infra.topology import load

    done = send_back(bus_of(project), load(), reason=reason, limit=limit, dry=dry)
    say(_told(done), as_json=as_json, facts=_facts(done))


def _facts(done: "Redrive") -> dict[str, Any]:
    letters = [{"reason": r, "topic": t, "count": n} for (r, t), n in done.counts().items()]
    return {"dry_run": done.dry, "letters": letters, "kept": done.kept, "unreadable": done.unreadable}


def _told(done: "Redrive") -> str:
    verb = "would send" if done.dry else "sent"
    lines = [f"{verb} {n} to {topic} (reason {reason})" for (reason, topic), n in done.counts().items()]
    lines = lines or [f"{verb} nothing"]
    if done.kept:
        lines.append(f"kept {done.kept} of another reason or beyond the limit")
    if done.unreadable:
        lines.append(f"kept {done.unreadable} that do not say where they came from")
    if done.dry and done.letters:
        lines.append("nothing was sent yet; add --go to send")
    return "\n".join(lines)
