"""The options, the output and the message bus that commands share."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infra.analytics.features.table import FeatureTable
    from infra.remote.pubsub import Bus

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, one object per line.")]
Project = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Use this Google Cloud project instead of the emulators on this machine."),
]
FeaturesTable = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="TABLE",
        envvar="UPBEAT_FEATURES_TABLE",
        help="The Bigtable table of features, projects/PROJECT/instances/INSTANCE/tables/TABLE.",
    ),
]

Where = Annotated[
    str,
    typer.Option(
        "--warehouse",
        metavar="WHERE",
        help="A file of DuckDB, or bigquery:PROJECT.DATASET?raw=DATASET.",
    ),
]
WAREHOUSE = "warehouse.duckdb"
"""The warehouse of a laptop, in the present folder."""


def print_result(text: str, *, as_json: bool, facts: Any) -> None:
    """Print a result: the text for people, or the facts as one line of JSON.

    On a terminal it appears above a progress bar that is shown, since `print` uses the `sys.stdout` of the moment.
    """
    if as_json:
        print_json(facts)
    else:
        print(text, flush=True)


def print_json(facts: Any) -> None:
    """Print facts as one line of JSON."""
    print(json.dumps(facts, ensure_ascii=False), flush=True)


def bus_of(project: str | None) -> "Bus":
    """The bus of a cloud project, else of the running emulators. Raises `InfraError` if no emulators run."""
    from infra.remote.pubsub import Bus
    from infra.remote.running import find

    return Bus.of_cloud(project) if project else Bus.of_emulator(find().endpoints)


def opened_features(table: str) -> "FeatureTable":
    """The table of features with a full name. Raises `UsageError`, also if the client's package is missing."""
    from infra.analytics import require

    require("google.cloud.bigtable")
    from infra.analytics.features.table import FeatureTable

    return FeatureTable.at(table)
