"""The programs and packages of a machine that Upbeat can use."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.table import Table

from infra.emulator import sdk
from infra.errors import InfraError

OLDEST_PYTHON = (3, 11)
ANALYSTS = ("duckdb", "sqlglot", "tea-tasting", "scikit-learn", "lightgbm", "altair", "google-cloud-bigquery")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SAY_VERSION_SECONDS = 20


class Finding(NamedTuple):
    """One thing that Upbeat can use."""

    name: str
    found: str
    """Its version or place; empty if it is missing."""
    purpose: str
    remedy: str
    """The way to get it."""
    is_needed: bool = False


def findings() -> Iterator[Finding]:
    """Everything that is needed, and then what only adds something."""
    python = ".".join(map(str, sys.version_info[:3])) if sys.version_info >= OLDEST_PYTHON else ""
    yield Finding("Python", python, "everything", "install Python 3.11 or newer", is_needed=True)
    packages = _versions(("functions-framework", "pydantic", "orjson", "typer"))
    yield Finding("requirements", packages, "everything", "make .venv/.local", is_needed=True)
    yield Finding("Java", _java(), "the emulators", "install a Java runtime, version 11 or newer")
    for name, component, place in _emulators():
        yield Finding(name, place, "up, end-to-end tests", f"gcloud components install {component}")
    yield Finding("test tools", _versions(("pytest", "hypothesis")), "make test", "make .venv/.dev")
    yield Finding(
        "analysts' packages",
        _versions(ANALYSTS),
        "warehouse, reports, training, policies",
        "make .venv/.analytics",
    )
    yield Finding("gcloud", shutil.which("gcloud") or "", "deploying", "https://cloud.google.com/sdk/docs/install")
    terraform = shutil.which("terraform") or ""
    yield Finding("Terraform", terraform, "changing infra/terraform", "https://developer.hashicorp.com/terraform")
    browser = next(filter(None, map(shutil.which, BROWSERS)), "")
    yield Finding("Chromium", browser, "tests of pages", "install the package chromium")


def page(found: Iterable[Finding]) -> Table:
    """The findings as a table."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("", "found", "for", "if missing"):
        table.add_column(column)
    for each in found:
        table.add_row(each.name, each.found or "missing", each.purpose, "" if each.found else each.remedy)
    return table


def _versions(packages: Iterable[str]) -> str:
    """The version of the first package; empty if any of them is missing."""
    try:
        versions = {name: version(name) for name in packages}
    except PackageNotFoundError:
        return ""
    name, number = next(iter(versions.items()))
    return f"{name} {number}"


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        return ""
    try:
        told = subprocess.run(  # noqa: S603 - found on the PATH
            [java, "-version"], capture_output=True, text=True, check=True, timeout=SAY_VERSION_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return (told.stderr or told.stdout).partition("\n")[0].strip()


def _emulators() -> Iterator[tuple[str, str, str]]:
    try:
        root: Path | None = sdk.sdk_folder()
    except InfraError:
        root = None
    for name, component, pattern in (
        ("Pub/Sub emulator", "pubsub-emulator", sdk.PUBSUB_JAR),
        ("Firestore emulator", "cloud-firestore-emulator", sdk.FIRESTORE_JAR),
        ("Bigtable emulator", "bigtable", sdk.BIGTABLE_PROGRAM),
    ):
        found = sorted(root.glob(pattern)) if root else []
        yield name, component, str(found[-1]) if found else ""
