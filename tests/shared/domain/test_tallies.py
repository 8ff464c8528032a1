"""Tallies of evicted triggers: exact counters and count-min sketches, which never undercount."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import FeedbackKind
from shared.domain.tallies import CELLS, ISSUED, MAX_ROWS, SCOPES, CountMinSketch, Tallies, Tally, events_of, evict
from shared.domain.triggers import Feedback, Trigger
from tests.support.story import OFFER, day

NOW = day(100)
OVER, OPEN = day(3), day(200)


def offer(number: int, campaign: str = "c", **facts: object) -> Trigger:
    """An offer made on day `number`, which is over at `NOW`."""
    made = OFFER._replace(trigger_id=f"t{number}", campaign_id=campaign, decided_at=day(number), expires_at=OVER)
    return made._replace(**facts)


def ids(triggers: tuple[Trigger, ...]) -> list[str]:
    return [trigger.trigger_id for trigger in triggers]


def left(*triggers: Trigger) -> Tallies:
    """The tallies of these triggers after all of them are evicted."""
    return evict(triggers, Tallies(), 0, NOW)[1]


class TestEviction:
    def test_does_nothing_while_there_is_room(self) -> None:
        triggers = tuple(offer(n) for n in range(3))
        assert evict(triggers, Tallies(), 3, NOW) == (triggers, Tallies(), ())

    def test_takes_the_oldest_first(self) -> None:
        kept, _, unwatched = evict(tuple(offer(n) for n in range(5)), Tallies(), 3, NOW)
        assert (ids(kept), unwatched) == (["t2", "t3", "t4"], ())

    def test_takes_closed_ones_before_open_ones(self) -> None:
        oldest, *others = [offer(0, expires_at=OPEN), offer(1), offer(2, expires_at=OPEN, revoked=True), offer(3)]
        kept, _, unwatched = evict((oldest, *others), Tallies(), 2, NOW)
        assert (ids(kept), unwatched) == (["t0", "t3"], ())

    def test_returns_the_open_ones_that_it_had_to_take(self) -> None:
        triggers = (*(offer(n, expires_at=OPEN) for n in range(3)), offer(3))
        kept, _, unwatched = evict(triggers, Tallies(), 1, NOW)
        assert (ids(kept), ids(unwatched)) == (["t2"], ["t0", "t1"])


class TestTallies:
    def test_count_each_event_by_campaign_offer_placement_and_channel(self) -> None:
        clicked = (Feedback(FeedbackKind.CLICKED, day(9)),)
        tallies = left(offer(1, feedback=clicked), offer(2), offer(5, offer_id="other"))
        group = ("c", "o", "p", "email")
        assert tallies.rows == (
            Tally(*group, "clicked", 1, day(9)),
            Tally(*group, ISSUED, 2, day(2)),
            Tally("c", "other", "p", "email", ISSUED, 1, day(5)),
        )
        assert tallies.sketches == ()

    def test_do_not_depend_on_the_order_of_leaving(self) -> None:
        triggers = [offer(n, f"c{n % 7}") for n in range(40)]
        assert left(*triggers) == left(*reversed(triggers))

    def test_have_a_bound_and_the_one_longest_unchanged_moves_to_the_sketch(self) -> None:
        tallies = left(*(offer(n, f"c{n}") for n in range(MAX_ROWS + 1)))
        assert len(tallies.rows) == MAX_ROWS
        assert "c0" not in {row.campaign_id for row in tallies.rows}
        (sketch,) = tallies.sketches
        assert (sketch.event, sketch.last_at, sketch.estimate("campaign", "c0")) == (ISSUED, day(0), 1)

    def test_keep_a_sketch_of_fixed_size(self) -> None:
        tallies = left(*(offer(n, f"c{n}") for n in range(2000)))
        assert [len(sketch.cells) for sketch in tallies.sketches] == [CELLS]
        assert tallies.sketches[0].estimate("user", "") == 35


class TestCountMinSketch:
    EMPTY = CountMinSketch(ISSUED, "0" * CELLS, day(0))

    def test_counts_what_shares_each_scope(self) -> None:
        tally = Tally("c", "o", "p", "email", ISSUED, 3, day(1))
        sketch = self.EMPTY.plus(tally)
        assert [sketch.estimate(scope, name_of(tally)) for scope, name_of in SCOPES.items()] == [3] * len(SCOPES)
        assert sketch.last_at == day(1)

    def test_rarely_counts_a_name_that_was_never_added(self) -> None:
        sketch = self.EMPTY
        for number in range(20):
            sketch = sketch.plus(Tally(f"c{number}", f"o{number}", "p", "email", ISSUED, 1, day(1)))
        mistaken = sum(sketch.estimate("campaign", f"another-{number}") > 0 for number in range(1000))
        assert mistaken < 60


numbers = st.integers(0, 150)
some_triggers = st.lists(
    st.builds(
        lambda on, campaign, kinds: offer(
            on, f"c{campaign}", feedback=tuple(Feedback(kind, day(on) + timedelta(1)) for kind in sorted(kinds))
        ),
        st.integers(0, 99),
        numbers,
        st.sets(st.sampled_from(FeedbackKind), max_size=2),
    ),
    max_size=300,
)


@given(some_triggers)
def test_nothing_is_ever_counted_too_low(triggers: list[Trigger]) -> None:
    """Holds for every scope and event, up to 35, the highest digit of a cell, which is more than any cap."""
    tallies = left(*triggers)
    truth = Counter(
        (scope, name_of(trigger), str(event))
        for trigger in triggers
        for event, _ in events_of(trigger)
        for scope, name_of in SCOPES.items()
    )
    for (scope, name, event), number in truth.items():
        rows = sum(row.number for row in tallies.rows if row.event == event and SCOPES[scope](row) == name)
        sketches = sum(sketch.estimate(scope, name) for sketch in tallies.sketches if sketch.event == event)
        assert rows + sketches >= min(number, 35)
