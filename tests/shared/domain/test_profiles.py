"""Profiles, merged in any order of arrival: the latest value of each field wins."""

from shared.domain import profiles
from shared.domain.events import Event, Profile
from tests.support.story import paid


class TestProfile:
    def given(self, on: float, **facts: object) -> Event:
        return paid(on)._replace(profile=Profile(**facts))

    def merged(self, *events: Event) -> Profile:
        known: tuple[profiles.ProfileFact, ...] = ()
        for event_ in events:
            known = profiles.merge(known, event_)
        return profiles.profile(known)

    def test_the_latest_value_of_each_field_wins_by_occurred_at(self) -> None:
        events = [
            self.given(2, country="DE"),
            self.given(1, country="SE", student=True),
            self.given(0, student=False),
        ]
        assert self.merged(*events) == self.merged(*reversed(events)) == Profile(country="DE", student=True)

    def test_a_field_that_is_not_given_stays(self) -> None:
        assert self.merged(self.given(0, locale="de-DE"), self.given(1, country="DE")).locale == "de-DE"

    def test_an_event_without_profile_changes_nothing(self) -> None:
        known = profiles.merge((), self.given(0, country="DE"))
        assert profiles.merge(known, paid(1)) is known
