"""`up`: run Upbeat on the emulators until Ctrl-C."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.errors import UsageError
from infra.terminal.invocation import again

if TYPE_CHECKING:
    from infra.emulator.processes import Sink
    from infra.emulator.runtime import EmulatorRuntime
    from infra.remote.endpoints import Endpoints

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    project: Annotated[
        str, typer.Option(metavar="ID", help="The project's name inside the emulators.")
    ] = "upbeat-local",
    catalog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The catalog; default: the shipped one.", dir_okay=False)
    ] = None,
    tick_seconds: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="The time between two ticks of the lifecycle clock.")
    ] = 5.0,
    ports: Annotated[
        str,
        typer.Option(
            metavar="P,F,C",
            envvar="UPBEAT_EMULATOR_PORTS",
            help="The ports of Pub/Sub, Firestore and the console; 0: any free one.",
        ),
    ] = "8085,8080,8070",
    import_from: Annotated[
        Path | None,
        typer.Option(
            "--import", metavar="DIR", help="Begin with what --export-on-exit has saved.", file_okay=False
        ),
    ] = None,
    export_on_exit: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save documents, raw log and time in the end.", file_okay=False),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Start the functions' clock at this time, RFC 3339; move it with `clock`."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run every function on the emulators, until Ctrl-C.

    Starts the Firestore and Pub/Sub emulators and one process per function, wired as in the cloud, publishes the
    catalog, and starts the console, which may write. Needs Java and the emulators of the gcloud SDK, but no
    network and no account. All documents are in memory and are gone afterwards, unless --export-on-exit saves them
    for --import; messages that are not delivered yet are lost either way.

    Prints the addresses, and then a line for each event on standard error: the function, the outcome, the user,
    what happened, what came of it, and what is wrong with it. With --json, prints the functions' own log lines.

    While this runs, .upbeat/emulators.env sets PUBSUB_EMULATOR_HOST, FIRESTORE_EMULATOR_HOST and
    GOOGLE_CLOUD_PROJECT, for clients of your own.

    Every message in and out is also a line of .upbeat/raw/TOPIC.jsonl in the repository (of raw/TOPIC.jsonl in
    UPBEAT_STATE_DIR, if that is set), with the columns of BigQuery's raw tables. The files grow as long as this
    runs and stay afterwards. The next start moves them to raw.before, in place of those of the run before.

    With UPBEAT_SMTP_HOST and the other settings of e-mail in the environment, the functions for e-mail run, too.

    Exit codes: 0 after Ctrl-C, 1 if something is missing, fails, or is up already.

    For example:

        upbeat up --tick-seconds 1
        upbeat up --now 2026-03-01T09:00:00Z
    """
    from infra.catalog.load import DEFAULT_CATALOG, artifacts_of
    from infra.commands.inputs import instant, valid_catalog
    from infra.emulator.runtime import EmulatorRuntime
    from infra.emulator.saved import find_saved
    from infra.remote.announcement import announce
    from infra.remote.clock import RunningClock
    from infra.remote.firestore import emulator_client, publish_catalog
    from infra.remote.pubsub import Bus
    from infra.remote.running import state_folder
    from infra.terminal.log_view import LogView, RawLog

    saved, file = find_saved(import_from) if import_from else None, catalog or DEFAULT_CATALOG
    content, starts_at = valid_catalog(file), instant("--now", now)
    pubsub_port, firestore_port, console_port = _ports(ports)
    sink = RawLog() if as_json else LogView(ahead=lambda: RunningClock(state_folder()).ahead)

    def publish(endpoints: "Endpoints") -> None:
        client = emulator_client(endpoints)
        publish_catalog(client, content, artifacts_of(content, file), by="up")
        with closing(Bus.of_emulator(endpoints)) as bus:
            announce(client, bus)

    upbeat = EmulatorRuntime(
        project,
        tick_seconds=tick_seconds,
        publish_catalog=publish if catalog or not saved else None,
        state_folder=state_folder(),
        now=starts_at,
        ports=(pubsub_port, firestore_port),
        with_grpc=True,
        saved=saved,
        save_into=export_on_exit,
        env={"UPBEAT_LOG_CONTENT": "true"},
        sink=sink,
        sends_email=bool(os.environ.get("UPBEAT_SMTP_HOST")),
    )
    with _until_stopped(), upbeat as running, _console(console_port, sink) as address:
        facts = asdict(running.state) | {"console": address}
        print_result(_summary(running, address), as_json=as_json, facts=facts)
        running.wait()


def _ports(text: str) -> tuple[int, int, int]:
    """The ports of Pub/Sub, Firestore and the console. Raises `UsageError`."""
    numbers = text.split(",")
    if len(numbers) != 3 or not all(number.isdecimal() and int(number) < 65536 for number in numbers):
        raise UsageError(
            f"--ports: expected three port numbers with commas between, such as 8085,8080,8070, found {text!r}"
        )
    pubsub, firestore, console = map(int, numbers)
    return pubsub, firestore, console


@contextmanager
def _console(port: int, sink: "Sink") -> Iterator[str]:
    """Run the console on this port, and tell its address; port 0 is any free one."""
    from infra.emulator.console import program
    from infra.emulator.processes import Process
    from infra.remote.endpoints import LOCALHOST, free_ports

    port = port or free_ports(1)[0]
    process = Process(program(port), sink)
    process.start()
    try:
        yield f"http://{LOCALHOST}:{port}/"
    finally:
        process.stop()


@contextmanager
def _until_stopped() -> Iterator[None]:
    """End the block in order on Ctrl-C, SIGTERM or SIGHUP, without counting it as a failure."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        for number, handler in before.items():
            if number != signal.SIGHUP or handler != signal.SIG_IGN:  # nohup ignores SIGHUP: keep running
                signal.signal(number, _stop)
        yield
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Stop once. A second Ctrl-C must not interrupt the shutdown, which ends by itself within seconds."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _summary(running: "EmulatorRuntime", console: str) -> str:
    listening = {f.listens: running.function_urls[name] for name, f in running.topology.functions.items()}
    services = {row.service: running.function_urls[name] for name, row in running.topology.services.items()}
    rows = running.topology.grpc_services
    grpc = {rows[name].service: f"{address} (gRPC)" for name, address in running.grpc_addresses.items()}
    pages = {row.service: running.function_urls[name] for name, row in running.pages.items()}
    lines = [f"  {name:<21}{url}" for name, url in {**listening, **services, **grpc, **pages}.items()]
    return "\n".join(
        [
            f"Upbeat is up, as project {running.project}",
            f"  {'Pub/Sub':<21}PUBSUB_EMULATOR_HOST={running.endpoints.pubsub_host}",
            f"  {'Firestore':<21}FIRESTORE_EMULATOR_HOST={running.endpoints.firestore_host}",
            f"  {'Console':<21}{console}",
            *lines,
            f"In another terminal: {again()} publish, listen, show or redrive. Ctrl-C stops everything.",
        ]
    )
