"""`python -m infra.beam`: history in bulk on Beam's runners. What follows `--` are options of Beam itself."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from infra.analytics.training.outcomes import parse_outcome
from infra.analytics.training.user_rows import When
from infra.beam import documents
from infra.beam.catalogs import CatalogText, catalog_alone, text_of
from infra.beam.lives import lives_of
from infra.beam.running import run
from infra.beam.sorted_files import names_of
from infra.beam.training_rows import Order, add_rows
from infra.beam.what_if import Plan, add_what_if
from infra.catalog.load import DEFAULT_CATALOG
from infra.commands.inputs import (
    deployment_terms,
    instant,
    process_sandbox,
    readable,
    wanted_messages,
)
from infra.errors import InfraError, UsageError
from infra.rebuild.work import Deployment
from shared.domain.errors import InvalidCatalog
from shared.domain.events import MAX_CATALOG_NUMBER
from shared.domain.moments import MomentKind

Value = TypeVar("Value")
INPUT = "on this machine, or gs://..."
AFTER = "Options of Beam follow after --, such as -- --runner=DataflowRunner. Without any: all processors here."


def main(words: Sequence[str]) -> int:
    """Run a command. Returns 0 for success, 1 for a failure, and 2 for arguments that make no sense."""
    end = words.index("--") if "--" in words else len(words)
    given = _parser().parse_args(words[:end])
    logging.basicConfig(level=logging.INFO if given.verbose else logging.ERROR)
    try:
        given.act(given, words[end + 1 :])
    except InfraError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.beam", description=__doc__, epilog=AFTER)
    parser.add_argument("--verbose", action="store_true", help="Print what Beam logs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _what_if_options(
        _command(commands, "whatif", "Compare the triggers of one history under two catalogs.", _what_if)
    )
    _rebuild_options(_command(commands, "rebuild", "Make users' documents again from a raw log.", _rebuild))
    _rows_options(_command(commands, "rows", "Write the rows of a raw log to train a score on.", _rows))
    return parser


def _command(commands: Any, name: str, does: str, act: Callable[..., None]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=does, description=does, epilog=AFTER)
    parser.set_defaults(act=act)
    return parser


def _what_if_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("events", metavar="EVENTS", help=f"A file of events as for replay, or a raw log; {INPUT}.")
    parser.add_argument(
        "--from", dest="before", required=True, metavar="FILE", help="The catalog to compare with."
    )
    parser.add_argument("--to", dest="after", required=True, metavar="FILE", help="The one that may replace it.")
    parser.add_argument("--out", required=True, metavar="FILE", help=f"The result as JSON; {INPUT}.")
    parser.add_argument("--switch-at", metavar="TIME", help="Both have --from until TIME; only then one has --to.")
    parser.add_argument("--now", metavar="TIME", help="The time at which the clock ends; default: the last event.")
    parser.add_argument("--examples", type=_number(0, 1000), default=1, metavar="N", help="Of each difference.")


def _rebuild_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("raw", metavar="RAW", help=f"The folder of a raw log; {INPUT}.")
    parser.add_argument("--catalog", type=Path, metavar="FILE", help="That in force; default: RAW's newest.")
    parser.add_argument(
        "--number", type=_number(0, MAX_CATALOG_NUMBER), default=0, metavar="N", help="Its number."
    )
    parser.add_argument("--until", metavar="TIME", help="Leave out what was published from this time on.")
    parser.add_argument("--users", type=Path, metavar="FILE", help="Only the users in a file, one id per line.")
    parser.add_argument("--out", required=True, metavar="FILE", help=f"For `upbeat rebuild FILE`; {INPUT}.")
    parser.add_argument("--shards", type=_number(1, 10_000), default=1, metavar="N", help="Write N files.")


def _rows_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("raw", metavar="RAW", help=f"The folder of a raw log; {INPUT}.")
    parser.add_argument("--label", required=True, metavar="LABEL", help="[no-]WHAT:DAYSd, as in no-payment:60d.")
    parser.add_argument("--out", required=True, metavar="FILE", help=f"The rows as lines of JSON; {INPUT}.")
    parser.add_argument(
        "--every", type=_number(1, 3650), default=30, metavar="DAYS", help="Time between instants."
    )
    parser.add_argument("--moment", action="append", default=[], metavar="KIND", help="Or at decisions about it.")
    parser.add_argument("--entitled", action="store_true", help="Only users who have access then.")
    parser.add_argument("--catalog", type=Path, default=DEFAULT_CATALOG, metavar="FILE", help="That of the log.")
    parser.add_argument("--shards", type=_number(1, 10_000), default=1, metavar="N", help="Write N files.")


def _what_if(given: argparse.Namespace, of_beam: Sequence[str]) -> None:
    plan = Plan(
        *(_catalog(Path(given.before)), _catalog(Path(given.after)), (given.before, given.after)),
        *(instant("--switch-at", given.switch_at), instant("--now", given.now)),
        *(deployment_terms(), given.examples),
    )
    run(
        of_beam,
        given.events,
        [given.out],
        lambda pipeline: add_what_if(lives_of(pipeline, given.events), plan, given.out),
    )


def _rebuild(given: argparse.Namespace, of_beam: Sequence[str]) -> None:
    wanted = wanted_messages(given.users, instant("--until", given.until))
    alone = (_read(catalog_alone, given.catalog), given.number) if given.catalog else None
    content, number = alone or documents.newest_catalog(given.raw)
    deployment = Deployment(content, number, deployment_terms(), process_sandbox=process_sandbox())
    files = names_of(given.out, given.shards)
    order = documents.Order(deployment, wanted)
    run(of_beam, given.raw, files, lambda pipeline: documents.add_documents(pipeline, given.raw, order, files))


def _rows(given: argparse.Namespace, of_beam: Sequence[str]) -> None:
    if unknown := {*given.moment} - {*MomentKind}:
        raise UsageError(f"--moment: expected one of {', '.join(MomentKind)}, found {min(unknown)!r}")
    parse_outcome(given.label)
    when = When(timedelta(days=given.every), tuple(given.moment), given.entitled)
    order = Order(given.label, when, _catalog(given.catalog), deployment_terms())
    files = names_of(given.out, given.shards)
    run(of_beam, given.raw, files, lambda pipeline: add_rows(pipeline, given.raw, order, files))


def _catalog(file: Path) -> CatalogText:
    return _read(text_of, file)


def _read(catalog: Callable[[Path], Value], file: Path) -> Value:
    try:
        return catalog(readable(file, "a catalog"))
    except InvalidCatalog as error:
        raise UsageError(f"{file}: {error}") from error


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, found {text!r}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
