"""The journey in docs/catalog.md: a banner, an e-mail if nobody answers it, and help after a click; replayed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.topology import ROOT
from tests.support import replays
from tests.support.replays import START, Outcome, event, payment

PAGE = (ROOT / "docs/catalog.md").read_text()
JOURNEY = PAGE.split("## Journeys")[1].split("```yaml\n")[1].split("```")[0]
RENEWED = [payment(days=0, event_id="first"), payment(days=30, event_id="second")]
"""The user pays, and renews on day 30: the banner is issued then."""


def journey(folder: Path, *more: dict[str, Any], days: float = 50, **options: Any) -> Outcome:
    """Replay what the user did, and more events, for so many days."""
    folder.mkdir(exist_ok=True)
    catalog = folder / "journey.yaml"
    catalog.write_text(JOURNEY)
    return replays.run(folder, *RENEWED, *more, catalog=catalog, now=START + timedelta(days=days), **options)


def banner_of(folder: Path) -> str:
    """The id of the banner's trigger, as a consumer learns it."""
    (issued,) = journey(folder, days=30).rows("triggers")
    return str(issued["trigger_id"])


def feedback(trigger_id: str, days: float, kind: str, event_id: str = "", **more: Any) -> dict[str, Any]:
    """Feedback on one of the user's triggers."""
    about = {"trigger_id": trigger_id, "kind": kind}
    return event("trigger-feedback", "u", days, event_id or f"{kind}-{days}", **about) | more
