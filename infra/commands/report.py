"""`report`: what became of the campaigns."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.commands.common import AsJson, print_json
from infra.commands.inputs import writing_into
from infra.terminal.help_page import Command

if TYPE_CHECKING:
    from infra.analytics.campaigns.counted import Counted
    from infra.analytics.campaigns.lifts import Lift
    from infra.inspect.funnel import CampaignFunnel

PACKAGES = ("duckdb", "pyarrow", "scipy", "sqlglot", "tea_tasting")
SHOWN = 10
"""Unreadable lines that are told one by one."""

report = typer.Typer(no_args_is_help=True, help="Report what became of the campaigns.")


@report.callback()
def _group() -> None:
    """A group, although it has a single command."""


@report.command(cls=Command)
def campaigns(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="A folder with raw/TOPIC.jsonl; default: that of the emulators."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Tell the lift of this in place of the catalog's goals."),
    ] = None,
    lift: Annotated[
        bool, typer.Option("--lift/--no-lift", help="Tell lifts, which take most of the time, or not.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one HTML page.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how far each campaign came, and its lift.

    Reads the raw log that upbeat replay --keep-store and upbeat up write. Counts for each campaign the candidates,
    those that lost by the gate that stopped them, the triggers issued and revoked, and the feedback on them, with
    variants, and held-out users and others, beside each other. Where there is an experiment or a holdout, tells
    what it changed, with its interval: that needs the analysts' packages (make .venv/.analytics).

    A line that is no message is skipped and told on standard error.

    Exit codes: 0 if there is a report, 2 if there is no raw log.

    For example:

        upbeat report campaigns out/demo/cdnow --html campaigns.html
    """
    from infra.analytics.campaigns.counted import counted, raw_folder
    from infra.remote.running import state_folder
    from infra.terminal.progress import bar

    chosen = folder or state_folder()
    raw = raw_folder(chosen)
    with bar("counting") as progress:
        found = counted(raw, progress)
    _warn(found)
    lifts = _lifts(raw, found, metric or ()) if lift else (None, None)
    told = _Told(f"Campaigns in {chosen}: {found.messages:,} messages", found, *lifts)
    if html:
        _write(html, told)
    if as_json:
        print_json(_facts(told, chosen))
    else:
        _print(told)


class _Told(NamedTuple):
    title: str
    counted: "Counted"
    lifts: "list[Lift] | None"
    """None where nobody asked, there is no experiment and no holdout, or packages are missing."""
    missing: str | None
    """The reason why there are no lifts, if packages are missing."""

    @property
    def campaigns(self) -> "list[CampaignFunnel]":
        return self.counted.funnels.campaigns()


def _lifts(raw: Path, found: "Counted", metrics: Sequence[str]) -> "tuple[list[Lift] | None, str | None]":
    from infra.analytics import MissingRequirements, require
    from infra.terminal.progress import bar

    if not any(one.variants or one.held_out for one in found.funnels.campaigns()):
        return None, None
    try:
        require(*PACKAGES)
    except MissingRequirements as error:
        return None, f"Lifts are left out: {error}"
    from infra.analytics.campaigns.lifts import lifts

    with bar("computing lifts") as progress:
        return lifts(raw, tuple(metrics), progress), None


def _warn(found: "Counted") -> None:
    for line in found.unreadable[:SHOWN]:
        typer.echo(f"skipped {line}", err=True)
    if found.unreadable[SHOWN:]:
        typer.echo(f"skipped {len(found.unreadable) - SHOWN:,} more lines", err=True)
    if malformed := found.funnels.malformed:
        typer.echo(f"skipped {malformed:,} messages that are not as the contracts describe them", err=True)


def _print(told: _Told) -> None:
    from rich.console import Group, RenderableType
    from rich.text import Text

    from infra.inspect.funnel_page import page
    from infra.terminal.console import print_page

    title = Text(told.title, style="bold", no_wrap=True, overflow="ignore")
    parts: list[RenderableType] = [title, Text(), page(told.campaigns)]
    if told.lifts is not None:
        from infra.analytics.campaigns.lifts_page import page as page_of_lifts

        parts.append(page_of_lifts(told.lifts))
    if told.missing:
        parts += [Text(), Text(told.missing)]
    print_page(Group(*parts))


def _write(file: Path, told: _Told) -> None:
    from infra.html_page import document, paragraph
    from infra.inspect.funnel_html import sections

    body = [*sections(told.campaigns)]
    if told.lifts is not None:
        from infra.analytics.campaigns.lifts_page import sections as sections_of_lifts

        body += sections_of_lifts(told.lifts)
    if told.missing:
        body.append(paragraph(told.missing))
    with writing_into(file.parent):
        file.write_text(document(told.title, body), encoding="utf-8")


def _facts(told: _Told, folder: Path) -> Any:
    from shared.queries.user_view import to_json

    lifts = None if told.lifts is None else [_of_lift(one) for one in told.lifts]
    return to_json(
        {
            "folder": str(folder),
            "messages": told.counted.messages,
            "unreadable": len(told.counted.unreadable),
            "malformed": told.counted.funnels.malformed,
            "campaigns": [asdict(one) for one in told.campaigns],
            "lifts": lifts,
            "lifts_left_out": told.missing,
        }
    )


def _of_lift(lift: "Lift") -> dict[str, Any]:
    return lift._asdict() | {"report": lift.report and asdict(lift.report)}
