"""Long work that a page starts and follows: one errand at a time, told line by line."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.errors import InfraError

MAX_LINES = 200
Tell = Callable[[str], None]
"""Adds a line to what is told of an errand."""


@dataclass(slots=True)
class Errand:
    """Work under way, or done."""

    title: str
    user: str = ""
    """The user whom it is about; empty if it is about none."""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_LINES))
    problem: str = ""
    """The reason why it ended early; empty if it did not."""
    done: bool = False


class Errands:
    """Starts errands, and remembers the last one."""

    def __init__(self) -> None:
        self.last: Errand | None = None
        self._lock = threading.Lock()

    def start(self, title: str, work: Callable[[Tell], None], user: str = "") -> None:
        """Do the work in a thread of its own. Raises `InfraError` while another errand is under way."""
        with self._lock:
            if self.last and not self.last.done:
                raise InfraError(f"expected no other work under way, found: {self.last.title}")
            self.last = Errand(title, user)
        threading.Thread(target=self._do, args=(self.last, work), name="errand", daemon=True).start()

    def _do(self, errand: Errand, work: Callable[[Tell], None]) -> None:
        try:
            work(errand.lines.append)
        except InfraError as problem:
            errand.problem = str(problem)
        except Exception as mistake:
            logging.getLogger(__name__).exception("%s", errand.title)
            errand.problem = f"a mistake of the console ({type(mistake).__name__}); its terminal says more"
        finally:
            errand.done = True
