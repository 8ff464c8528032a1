"""`redrive`: send dead letters back to their topics."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_result
from infra.commands.letter_record import By, Why, keep_record

if TYPE_CHECKING:
    from infra.remote.dead_letters import Letter, RedriveResult


def redrive(
    reason: Annotated[str | None, typer.Option(metavar="REASON", help="Only letters with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Send at most this many letters.")] = 1000,
    dry: Annotated[bool, typer.Option("--dry-run/--go", help="Only list the letters, or send them.")] = True,
    why: Why = "",
    by: By = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to the topics they came from.

    Without --go the command lists the letters and sends nothing. The reason "undelivered" marks letters that
    Pub/Sub itself gave up on. A letter leaves the dead letters only after it is published again; a letter that is
    not sent stays. `dead-letters history` tells of each that was sent.

    For example:

        upbeat redrive --reason invalid
        upbeat redrive --reason invalid --go
    """
    from infra.remote.dead_letters import redrive as send_back
    from infra.remote.letter_records import Action
    from infra.terminal.progress import spinner
    from infra.topology import load

    def sent(letter: "Letter", message_id: str) -> None:
        keep_record(project, letter, Action.RESENT, by, why, message_id)

    with spinner("reading the dead letters"):
        done = send_back(bus_of(project), load(), reason=reason, limit=limit, dry=dry, sent=sent)
    print_result(_text(done), as_json=as_json, facts=_facts(done))


def _facts(done: "RedriveResult") -> dict[str, Any]:
    letters = [{"reason": r, "topic": t, "count": n} for (r, t), n in done.counts().items()]
    return {"dry_run": done.dry, "letters": letters, "kept": done.kept, "unreadable": done.unreadable}


def _text(done: "RedriveResult") -> str:
    verb = "would send" if done.dry else "sent"
    lines = [f"{verb} {n} to {topic} (reason {reason})" for (reason, topic), n in done.counts().items()]
    lines = lines or [f"{verb} nothing"]
    if done.kept:
        lines.append(f"kept {done.kept} with another reason or beyond the limit")
    if done.unreadable:
        lines.append(f"kept {done.unreadable} that are not complete, or do not name the topic they came from")
    if done.dry and done.letters:
        lines.append("nothing was sent yet; add --go to send")
    return "\n".join(lines)
