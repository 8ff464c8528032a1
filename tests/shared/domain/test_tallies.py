"""Tallies of evicted triggers: exact counters of each scope, with a bound on the names."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import FeedbackKind
from shared.domain.sketches import DIGITS, Sketch, cells_of
from shared.domain.tallies import ISSUED, MAX_NAMES, SCOPES, WITHHELD, Count, Tallies, Tally, events_of, evict
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


def counts(tallies: Tallies, scope: str, name: str) -> tuple[Count, ...]:
    """The counters of one name; none if it has none."""
    return next((row.counts for row in tallies.rows if row[:2] == (scope, name)), ())


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
    def test_add_up_and_keep_the_latest_time(self) -> None:
        tally = Tally("offer", "o").plus([Count("clicked", 2, day(5)), Count(ISSUED, 1, day(4))])
        grown = tally.plus([Count("clicked", 3, day(1)), Count("dismissed", 1, day(9))])
        assert grown == Tally(
            "offer", "o", (Count("clicked", 5, day(5)), Count("dismissed", 1, day(9)), Count(ISSUED, 1, day(4)))
        )

    def test_count_each_event_in_each_scope(self) -> None:
        clicked = (Feedback(FeedbackKind.CLICKED, day(9)),)
        tallies = left(offer(1, feedback=clicked), offer(2, withheld="holdout"), offer(5, offer_id="other"))
        once = (Count("clicked", 1, day(9)), Count(ISSUED, 1, day(1)), Count(WITHHELD, 1, day(2)))
        assert counts(tallies, "offer", "o") == once
        assert counts(tallies, "offer", "other") == (Count(ISSUED, 1, day(5)),)
        all_three = (once[0], Count(ISSUED, 2, day(5)), once[2])
        for scope, name in {"campaign": "c", "placement": "p", "channel": "email", "user": ""}.items():
            assert counts(tallies, scope, name) == all_three

    def test_count_every_impression(self) -> None:
        shown = [Feedback(FeedbackKind.IMPRESSION, day(n)) for n in (2, 4, 3)]
        tallies = left(offer(1, feedback=(shown[0],), impressions=(shown[2], shown[1])))
        assert counts(tallies, "campaign", "c")[0] == Count("impression", 3, day(4))

    def test_do_not_depend_on_the_order_of_leaving(self) -> None:
        triggers = [offer(n, f"c{n % 7}") for n in range(40)]
        assert left(*triggers) == left(*reversed(triggers))

    def test_have_a_bound_and_the_name_that_won_longest_ago_goes_first(self) -> None:
        tallies = left(*(offer(n, f"c{n}") for n in range(MAX_NAMES + 1)))
        assert tallies.most_names == MAX_NAMES
        assert counts(tallies, "campaign", "c0") == ()
        assert counts(tallies, "campaign", "c1") == (Count(ISSUED, 1, day(1)),)
        (of_user,) = counts(tallies, "user", "")
        assert of_user.number == MAX_NAMES + 1, "what is forgotten of a campaign still counts for the user"

    def test_keep_a_campaign_that_won_lately_with_all_that_it_counted(self) -> None:
        """Its first trigger is older than those of all campaigns that are forgotten."""
        others = [offer(n, f"c{n}") for n in range(1, 3 * MAX_NAMES)]
        tallies = left(offer(0), *others[: MAX_NAMES // 2], offer(MAX_NAMES), *others[MAX_NAMES // 2 : MAX_NAMES])
        assert counts(tallies, "campaign", "c") == (Count(ISSUED, 2, day(MAX_NAMES)),)

    def test_forget_the_same_campaigns_for_control(self) -> None:
        """Feedback, which only the treated give, keeps no campaign."""
        at = day(99)
        treated = [
            offer(n, f"c{n:03}", feedback=(Feedback(FeedbackKind.CLICKED, at),) if n < 9 else ())
            for n in range(MAX_NAMES + 9)
        ]
        control = [one._replace(feedback=(), withheld="holdout") for one in treated]
        names = [[row.name for row in left(*triggers).rows] for triggers in (treated, control)]
        assert names[0] == names[1]


class TestSketches:
    """Sketches of documents of before count what they counted."""

    EMPTY = Sketch(ISSUED, DIGITS[0] * 512, day(0))

    def test_count_a_name_by_the_lower_of_its_two_cells(self) -> None:
        first, second = sorted(cells_of("campaign", "c", 512))
        cells = [*self.EMPTY.cells]
        cells[first], cells[second] = "3", "z"
        sketch = self.EMPTY._replace(cells="".join(cells))
        assert (sketch.estimate("campaign", "c"), self.EMPTY.estimate("campaign", "c")) == (3, 0)


some_triggers = st.lists(
    st.builds(
        lambda on, campaign, kinds: offer(
            on, f"c{campaign}", feedback=tuple(Feedback(kind, day(on) + timedelta(1)) for kind in sorted(kinds))
        ),
        st.integers(0, 99),
        st.integers(0, 150),
        st.sets(st.sampled_from(FeedbackKind), max_size=2),
    ),
    max_size=300,
)


@given(some_triggers)
def test_every_name_that_won_lately_is_counted_exactly_and_a_forgotten_one_not_at_all(
    triggers: list[Trigger],
) -> None:
    in_order = sorted(triggers, key=lambda one: one.decided_at)
    tallies = left(*in_order)
    for scope, name_of in SCOPES.items():
        last = {name_of(one): one.decided_at for one in in_order}
        counted = {row.name for row in tallies.rows if row.scope == scope}
        assert len(counted) == min(len(last), MAX_NAMES)
        forgotten = last.keys() - counted
        assert not forgotten or max(last[name] for name in forgotten) <= min(last[name] for name in counted)
    truth = Counter(
        (scope, name_of(one), str(event))
        for one in in_order
        for event, _ in events_of(one)
        for scope, name_of in SCOPES.items()
    )
    for row in tallies.rows:
        for count in row.counts:
            known = truth[row.scope, row.name, count.event]
            if len(in_order) <= MAX_NAMES:
                assert count.number == known
            assert count.number <= known, "nothing is ever counted too high"


def test_a_name_that_comes_back_before_it_is_forgotten_is_never_counted_too_low() -> None:
    """A campaign wins again and again, with fewer than the bound of others in between."""
    tallies = left(*(offer(n, "often" if n % 50 == 0 else f"c{n}", offer_id=f"o{n}") for n in range(1000)))
    assert counts(tallies, "campaign", "often")[0].number == 20
    assert counts(tallies, "user", "")[0].number == 1000
