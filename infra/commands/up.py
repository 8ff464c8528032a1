"""`up`: run Upbeat on the emulators until Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, say
from infra.terminal.invocation import again

if TYPE_CHECKING:
    from infra.emulator.runtime import Up

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    project: Annotated[str, typer.Option(help="The project's name inside the emulators.")] = "upbeat-local",
    catalog: Annotated[
        Path | None, typer.Option(help="The catalog to start with; without it, the default one.", dir_okay=False)
    ] = None,
    tick_seconds: Annotated[float, typer.Option(min=0.1, help="How often the lifecycle clock ticks.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Run the Firestore and Pub/Sub emulators and every function, wired as in the cloud, until Ctrl-C.

    Needs java and the emulators of the gcloud SDK, but no network and no account. What happens is printed on
    standard error; everything is in memory, and gone afterwards.
    """
    from infra.catalog.load import DEFAULT_CATALOG, artifacts_of
    from infra.commands.inputs import valid_catalog
    from infra.emulator.runtime import Up
    from infra.remote.firestore import emulator_client, publish_catalog
    from infra.remote.running import state_folder
    from infra.terminal.log_view import LogView

    chosen = valid_catalog(catalog or DEFAULT_CATALOG)
    upbeat = Up(
        project,
        tick_seconds=tick_seconds,
        publish_catalog=lambda endpoints: publish_catalog(
            emulator_client(endpoints), chosen, artifacts_of(chosen, catalog or DEFAULT_CATALOG)
        ),
        state_folder=state_folder(),
        sink=LogView(),
    )
    with _until_told_to_stop(), upbeat as running:
        say(_summary(running), as_json=as_json, facts=asdict(running.described))
        running.wait()


@contextmanager
def _until_told_to_stop() -> Iterator[None]:
    """Take Ctrl-C and the signals like it for the wish to stop in order, which is no failure."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        for number, handler in before.items():
            if number != signal.SIGHUP or handler != signal.SIG_IGN:  # nohup means: stay
                signal.signal(number, _stop)
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Stop once: a second Ctrl-C must not interrupt the stopping, which ends by itself within seconds."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _summary(running: "Up") -> str:
    listening = {f.listens: running.function_urls[name] for name, f in running.topology.functions.items()}
    lines = [f"  {topic:<18}{url}" for topic, url in listening.items()]
    return "\n".join(
        [
            f"Upbeat is up, as project {running.project}",
            f"  {'Pub/Sub':<18}{running.endpoints.pubsub_host}",
            f"  {'Firestore':<18}{running.endpoints.firestore_host}",
            *lines,
            f"In another terminal: {again()} publish, listen, show or redrive. Ctrl-C stops everything.",
        ]
    )
