"""A temporary repository with one function that records its requests."""

import base64
import json
from pathlib import Path

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
    """A repository whose function `payment` records every request and responds with the status set by `answer`."""

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
