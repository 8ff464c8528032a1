"""`rollback`: send the traffic of the functions back to earlier revisions."""

from typing import Annotated

import typer

from infra.commands.common import AsJson, print_result


def rollback(
    project: Annotated[str, typer.Option(metavar="ID", help="The Google Cloud project.")],
    to: Annotated[
        str, typer.Option(metavar="REVISION", help="A revision such as payment-00007-abc, or previous.")
    ] = "previous",
    function: Annotated[
        list[str] | None,
        typer.Option("--function", metavar="FUNCTION", help="Only this function; may be repeated."),
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run/--go", help="Only list the moves, or make them.")] = True,
    as_json: AsJson = False,
) -> None:
    """Send functions' traffic back to earlier revisions.

    With --to previous, every function that the newest deploy changed goes back to the revision before it; the
    others stay. It takes seconds, since nothing is built. Without --go the command lists the moves and makes none.
    It refuses if the format of the stored document differs between the two revisions, since an older one cannot
    read what a newer one wrote. The API over gRPC, which releases do not change, moves only if it is named; the
    webhook of a CMS moves with the others where it is deployed. Needs gcloud.

    The next apply of Terraform undoes it, also one that changes nothing else: all traffic goes to the newest
    revision again. So correct or revert the cause before the next build.

    For example:

        upbeat rollback --project my-project
        upbeat rollback --project my-project --to payment-00007-abc --go
    """
    from infra.deploy.cloud_run import CloudRun
    from infra.deploy.rollback import carry_out, plan_rollback
    from infra.terminal.progress import spinner
    from infra.topology import known, load

    table = load()
    running = {**table.deployed, **table.grpc_services, **table.webhooks}
    names = [known(name, tuple(running), "function") for name in function or table.deployed]
    run = CloudRun(project)
    with spinner("asking Cloud Run"):
        maybe = set() if function else {row.service for row in table.webhooks.values()}
        moves = plan_rollback(run, {running[name].service for name in names}, to, maybe)
        if not dry:
            carry_out(run, moves)
    verb = "would move" if dry else "moved"
    for move in moves:
        facts = {"dry_run": dry, "service": move.service.name, "from": move.before.name, "to": move.after.name}
        created = f"{move.after.created_at:%Y-%m-%d %H:%M} UTC"
        text = f"{verb} {move.service.name} from {move.before.name} to {move.after.name} of {created}"
        print_result(text, as_json=as_json, facts=facts)
