"""What every page of the console has at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import Route

from infra.console.rendering import Renderer
from infra.console.security import FormGuard
from infra.console.sources import Sources


@dataclass(frozen=True, slots=True)
class Console:
    """The sources to read from, the guard of forms, and the templates."""

    sources: Sources
    forms: FormGuard
    render: Renderer


Page = Callable[[Console], Sequence[Route]]
"""Makes the routes of a page."""
