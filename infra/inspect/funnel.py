"""Counts how far campaigns come, from messages as they are published: the stages of the warehouse's mart `funnel`.

Nothing is kept of a message but a number by which a redelivery is known; the counts grow with the catalog.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from infra.inspect.funnel_stages import READERS, Body, Place, Stage, plain
from shared.contracts.topics import Topic
from shared.decisioning.losses import LossReason

_GATES = {reason.value: place for place, reason in enumerate(LossReason)}


@dataclass(frozen=True, slots=True)
class Counts:
    """The number that came to each stage."""

    considered: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    """By the gate or rule that stopped them, in the order of the gates."""
    issued: int = 0
    delivered: int = 0
    seen: int = 0
    clicked: int = 0
    accepted: int = 0
    dismissed: int = 0
    converted: int = 0
    revoked: Mapping[str, int] = field(default_factory=dict)
    """By the reason of the revocation, the most frequent first."""


@dataclass(frozen=True, slots=True)
class VariantFunnel:
    """The part of a campaign's funnel that is known to be of one variant.

    A candidate that lost before the variant was asked is of none.
    """

    experiment_id: str
    variant: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class CampaignFunnel:
    """The stages of one campaign, with their numbers."""

    campaign_id: str
    counts: Counts
    variants: tuple[VariantFunnel, ...]
    held_out: Counts | None
    """Of users in a holdout that covers the campaign; None if none was considered."""
    treated: Counts | None
    """Of the other users; None where `held_out` is."""


class Recent:
    """Remembers the newest `at_least` things that it saw, at most twice as many; all of them if that is None."""

    def __init__(self, at_least: int | None) -> None:
        self._at_least = at_least
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def is_new(self, identity: tuple[str, ...]) -> bool:
        """True if it was not seen before; it is from now on."""
        one = hash(identity)  # 64 bits of a keyed hash: two of a million identities meet once in 37 million runs
        if one in self._newer or one in self._older:
            return False
        self._newer.add(one)
        if len(self._newer) == self._at_least:
            self._newer, self._older = set(), self._newer
        return True


REMEMBERED = 250_000
"""Messages of which a redelivery is recognised for sure: about 16 MB, and at most twice that."""


class Funnels:
    """The funnels of all campaigns, from messages in any order, each as often as it is delivered.

    A redelivery counts once, and a trigger once for each kind of feedback, among the newest `remembered` messages;
    of None, among all.
    """

    def __init__(self, remembered: int | None = REMEMBERED) -> None:
        self._numbers: Counter[Place] = Counter()
        self._recent = Recent(remembered)
        self._published_at = ""
        self._live: tuple[str, ...] = ()
        self.malformed = 0
        """Messages that are not as the contracts describe them; they count in nothing else."""

    def add(self, topic: str, body: Body) -> None:
        """Count a message; one of a topic without campaigns changes nothing."""
        read = READERS.get(topic)
        if read is None and topic != Topic.CATALOG_PUBLISHED:
            return
        try:
            if read is None:
                self._know(body)
            else:
                identity, places = read(body)
                if places and self._recent.is_new(identity):
                    self._numbers.update(places)
        except (AttributeError, KeyError, TypeError):
            self.malformed += 1

    def campaigns(self) -> list[CampaignFunnel]:
        """Every campaign that was considered or is live in the newest catalog; who issued most comes first."""
        by_campaign: dict[str, Counter[Place]] = {id_: Counter() for id_ in self._live}
        for place, number in self._numbers.items():
            by_campaign.setdefault(place.campaign_id, Counter())[place] = number
        found = [_funnel(id_, numbers) for id_, numbers in by_campaign.items()]
        return sorted(found, key=lambda one: (-one.counts.issued, -one.counts.considered, one.campaign_id))

    def _know(self, body: Body) -> None:
        """Take the live campaigns from a catalog, if it is the newest."""
        published_at, campaigns = body["published_at"], body["catalog"]["campaigns"]
        live = tuple(plain(id_) for id_, terms in campaigns.items() if terms.get("state", "live") == "live")
        if published_at >= self._published_at:
            self._published_at, self._live = published_at, live


def _funnel(campaign_id: str, numbers: Counter[Place]) -> CampaignFunnel:
    def part(places: Iterable[Place]) -> Counts:
        return _counts((place, numbers[place]) for place in places)

    arms = sorted(
        {(place.experiment_id, place.variant) for place in numbers if place.experiment_id and place.variant}
    )
    variants = (
        VariantFunnel(*arm, part(place for place in numbers if (place.experiment_id, place.variant) == arm))
        for arm in arms
    )
    has_holdout = any(place.held_out for place in numbers)
    return CampaignFunnel(
        campaign_id,
        part(numbers),
        tuple(variants),
        part(place for place in numbers if place.held_out) if has_holdout else None,
        part(place for place in numbers if not place.held_out) if has_holdout else None,
    )


def _counts(numbers: Iterable[tuple[Place, int]]) -> Counts:
    stages: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    revoked: Counter[str] = Counter()
    for place, number in numbers:
        match place.stage:
            case Stage.LOST:
                lost[place.reason or ""] += number
            case Stage.REVOKED:
                revoked[place.reason or ""] += number
            case stage:
                stages[stage.value] += number
    by_gate = sorted(lost.items(), key=lambda item: (_GATES.get(item[0], len(_GATES)), item[0]))
    return Counts(**stages, lost=dict(by_gate), revoked=dict(revoked.most_common()))
