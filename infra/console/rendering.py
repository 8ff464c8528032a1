"""Fills the templates. Everything is escaped, and a name that is missing is an error."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from infra.console import links
from infra.terminal import wording

FOLDER = Path(__file__).parent
MENU = (
    ("/", "Live"),
    ("/users", "Users"),
    ("/campaigns", "Campaigns"),
    ("/catalog", "Catalog"),
    ("/dead-letters", "Dead letters"),
    ("/try", "Try"),
)
"""The paths and names of the pages, in the order of the menu."""


def environment() -> Environment:
    """The templates and the filters that they use."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["instant"] = instant
    templates.filters["short"] = wording.of_value
    templates.filters["user_path"] = links.of_user
    templates.globals["menu"] = MENU
    return templates


def instant(value: datetime) -> str:
    """An instant in UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S}"


class Renderer:
    """Answers with pages; all of them know the sources' name and whether the console may write."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        self._templates = environment()
        self._templates.globals.update(common)

    def page(self, request: Request, template: str, *, answers: int = 200, **values: Any) -> HTMLResponse:
        """A page of a template, with the values that it needs, and the HTTP status that it answers with."""
        return HTMLResponse(self.text(template, path=request.url.path, **values), answers)

    def text(self, template: str, **values: Any) -> str:
        """A filled template. Halves of characters, which JSON can hold and UTF-8 cannot, are shown as escapes."""
        text = self._templates.get_template(template).render(**values)
        return text.encode(errors="backslashreplace").decode()
