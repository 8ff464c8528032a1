"""Finding the emulators: two jars of the gcloud SDK, and a java to run them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.errors import InfraError

PUBSUB_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
USUAL_PLACES = (
    "/usr/lib/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "~/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
)
SDK_VARIABLE = "UPBEAT_GCLOUD_SDK"


@dataclass(frozen=True, slots=True)
class Sdk:
    """Paths of what the emulators need."""

    java: Path
    pubsub_jar: Path
    firestore_jar: Path


def missing() -> str | None:
    """What the emulators need and this machine lacks, in one sentence; None where nothing is missing."""
    try:
        find()
    except InfraError as error:
        return str(error)
    return None


@cache
def find() -> Sdk:
    """The emulators of this machine. Raises `InfraError` saying what is missing and how to get it."""
    java = shutil.which("java")
    if java is None:
        raise InfraError("the emulators need java 11 or newer, and no java is on the PATH")
    root = _root()
    pubsub = sorted(root.glob(PUBSUB_JAR))
    if not pubsub:
        raise InfraError(_no_emulator(root, "pubsub-emulator"))
    if not (root / FIRESTORE_JAR).exists():
        raise InfraError(_no_emulator(root, "cloud-firestore-emulator"))
    return Sdk(Path(java), pubsub[-1], root / FIRESTORE_JAR)


def _no_emulator(root: Path, component: str) -> str:
    return f"the gcloud SDK in {root} has no {component}; add it with: gcloud components install {component}"


def _root() -> Path:
    """The SDK's folder: the one that is named, else the first that has emulators, else the first there is."""
    if named := os.environ.get(SDK_VARIABLE):
        if not Path(named).is_dir():
            raise InfraError(f"{SDK_VARIABLE} names {named}, which is not a folder")
        return Path(named)
    places = list(_places())
    if not places:
        raise InfraError(f"the emulators need the gcloud SDK; install it, or name its folder in {SDK_VARIABLE}")
    return next((place for place in places if (place / FIRESTORE_JAR).exists()), places[0])


def _places() -> Iterator[Path]:
    gcloud = shutil.which("gcloud")
    candidates = [Path(place).expanduser() for place in USUAL_PLACES]
    if gcloud:
        candidates.insert(0, Path(gcloud).resolve().parent.parent)
    found = [place for place in candidates if (place / "platform").is_dir()]
    yield from found
    if gcloud and not found:
        yield from _told_by(gcloud)


def _told_by(gcloud: str) -> Iterator[Path]:
    """What gcloud says of itself: it takes a second, so it is asked last."""
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on the PATH
    if answer.returncode == 0 and (root := answer.stdout.strip()):
        yield Path(root)
