"""A throwaway repository with one probing function, and ways to watch processes."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 60.0

PROBE = """
import json, os
from pathlib import Path

import functions_framework.aio

FOLDER = Path(os.environ["PROBE_FOLDER"])


@functions_framework.aio.http
async def payment(request):
    if request.method == "GET":
        return "ok"
    body = await request.json()
    with (FOLDER / "seen.jsonl").open("a") as seen:
        seen.write(json.dumps({"path": request.url.path, "body": body, "pid": os.getpid()}) + "\\n")
    return "", int((FOLDER / "status").read_text())
"""


class Probe:
    """A repository whose function `payment` notes what it gets, and answers as it is told."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.folder = folder
        self.write("functions/payment/main.py", PROBE)
        self.write("shared/__init__.py", "")
        self.write("requirements.txt", "")
        self.answer(200)

    @property
    def env(self) -> dict[str, str]:
        return {"PROBE_FOLDER": str(self.folder)}

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def answer(self, status: int) -> None:
        draft = self.folder / "draft"
        draft.write_text(str(status))
        draft.replace(self.folder / "status")

    def seen(self) -> list[dict]:
        notes = self.folder / "seen.jsonl"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    def data(self) -> list[bytes]:
        return [base64.b64decode(each["body"]["message"].get("data", "")) for each in self.seen()]


def eventually(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def descendants(pid: int) -> set[int]:
    """Every process below one, as Linux tells."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    direct = {int(child) for listed in children for child in listed.read_text().split()}
    return direct.union(*(descendants(child) for child in direct))
