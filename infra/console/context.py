"""Everything that the pages of the console share."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.routing import Route

from infra.console.feed import Feed
from infra.console.rendering import Renderer
from infra.console.security import FormGuard
from infra.console.sources import Sources


@dataclass(frozen=True, slots=True)
class Console:
    """The sources to read from, their news, the guard of forms, and the templates."""

    sources: Sources
    feed: Feed | None
    """The news of the raw log; None where there is none."""
    forms: FormGuard
    render: Renderer
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when the server stops: whatever is still being sent then comes to its end."""


Page = Callable[[Console], Sequence[Route]]
"""Makes the routes of a page."""
