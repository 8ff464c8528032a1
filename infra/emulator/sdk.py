"""Locates the emulators of the gcloud SDK: two jar files and a java to run them, and the program of a third."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.errors import InfraError

PUBSUB_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
BIGTABLE_PROGRAM = "platform/bigtable-emulator/cbtemulator"
FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
USUAL_FOLDERS = (
    "/usr/lib/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "~/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
)
SDK_VARIABLE = "UPBEAT_GCLOUD_SDK"
"""Environment variable that names the SDK's folder."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """Paths of java and of the emulators' jar files."""

    java: Path
    pubsub_jar: Path
    firestore_jar: Path


def missing() -> str | None:
    """One sentence that names the first missing prerequisite of the emulators; None if all are installed."""
    try:
        find()
    except InfraError as error:
        return str(error)
    return None


@cache
def find() -> Sdk:
    """The emulators installed on this machine.

    Raises `InfraError` with the missing prerequisite and the way to install it.
    """
    java = shutil.which("java")
    if java is None:
        raise InfraError("the emulators need java 11 or newer, and no java is on the PATH")
    root = sdk_folder()
    pubsub = sorted(root.glob(PUBSUB_JAR))
    if not pubsub:
        raise InfraError(_no_emulator(root, "pubsub-emulator"))
    if not (root / FIRESTORE_JAR).exists():
        raise InfraError(_no_emulator(root, "cloud-firestore-emulator"))
    return Sdk(Path(java), pubsub[-1], root / FIRESTORE_JAR)


def find_bigtable() -> Path:
    """The program of Bigtable's emulator. Raises `InfraError` with the missing prerequisite."""
    root = sdk_folder()
    if not (root / BIGTABLE_PROGRAM).exists():
        raise InfraError(_no_emulator(root, "bigtable"))
    return root / BIGTABLE_PROGRAM


def _no_emulator(root: Path, component: str) -> str:
    return f"the gcloud SDK in {root} has no {component}; add it with: gcloud components install {component}"


def sdk_folder() -> Path:
    """The SDK's folder: the one named in the environment, else the first with emulators, else the first found.

    Raises `InfraError` if the named folder does not exist, or if no SDK is found.
    """
    if named := os.environ.get(SDK_VARIABLE):
        if not Path(named).is_dir():
            raise InfraError(f"{SDK_VARIABLE} names {named}, which is not a folder")
        return Path(named)
    folders = list(_sdk_folders())
    if not folders:
        raise InfraError(f"the emulators need the gcloud SDK; install it, or name its folder in {SDK_VARIABLE}")
    return next((folder for folder in folders if (folder / FIRESTORE_JAR).exists()), folders[0])


def _sdk_folders() -> Iterator[Path]:
    gcloud = shutil.which("gcloud")
    candidates = [Path(folder).expanduser() for folder in USUAL_FOLDERS]
    if gcloud:
        candidates.insert(0, Path(gcloud).resolve().parent.parent)
    found = [folder for folder in candidates if (folder / "platform").is_dir()]
    yield from found
    if gcloud and not found:
        yield from _reported_by(gcloud)


def _reported_by(gcloud: str) -> Iterator[Path]:
    """The SDK folder that gcloud reports. It comes last because gcloud takes a second to run."""
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on the PATH
    if answer.returncode == 0 and (root := answer.stdout.strip()):
        yield Path(root)
