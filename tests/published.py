"""What must be true of all that was published, in the order in which the bus took it."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import pairwise

from shared.contracts.messages import Message
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.triggers import Trigger


def check_no_issue_after_revocation(taken: Sequence[Message]) -> None:
    """Law 7: revoked is final."""
    revoked = set()
    for message in _triggers(taken):
        if message.body["kind"] == "revoked":
            revoked.add(message.body["trigger_id"])
        else:
            assert message.body["trigger_id"] not in revoked, "issued after it was revoked"


def check_one_id_a_cause(taken: Sequence[Message]) -> None:
    """Law 6: for one cause and campaign there is one id, however often it comes."""
    ids: dict[tuple[str, str], set[str]] = {}
    for message in _triggers(taken):
        cause = message.body["cause"], message.body["campaign_id"]
        ids.setdefault(cause, set()).add(message.body["trigger_id"])
    assert all(len(names) == 1 for names in ids.values())


def check_one_body_an_id(taken: Sequence[Message]) -> None:
    """A consumer may drop either of two messages of one id; of two ids, neither has the other's number."""
    bodies: dict[str, Message] = {}
    for message in taken:
        assert bodies.setdefault(message.message_id, message) == message
    numbers = [message.body["sequence"] for message in bodies.values()]
    assert len(numbers) == len(set(numbers))


def check_caps(catalog: Catalog, issued: Collection[Trigger]) -> None:
    """No campaign was offered more often than its caps and its rest allow, revoked offers counted."""
    for campaign_id, terms in catalog.document.campaigns.items():
        times = sorted(trigger.decided_at for trigger in issued if trigger.campaign_id == campaign_id)
        for cap in terms.cap:
            window = timedelta(days=cap.window_days) if cap.window_days else timedelta.max
            for last in times:
                assert sum(timedelta(0) <= last - at < window for at in times) <= cap.max
        rest = timedelta(hours=terms.cool_down_hours.get("issued", 0))
        assert all(later - earlier >= rest for earlier, later in pairwise(times))


def _triggers(taken: Sequence[Message]) -> list[Message]:
    return [message for message in taken if message.topic == Topic.UPSELL_TRIGGER]
