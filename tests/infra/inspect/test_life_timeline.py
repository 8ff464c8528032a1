"""The life of a user as a timeline: what came, what came of it, and what was said."""

from datetime import timedelta

from infra.inspect import life_timeline
from infra.inspect.timeline import EntryKind
from infra.raw.folder import RAW
from infra.raw.reader import messages_about
from shared.queries.life import life
from tests.support import replays
from tests.support.replays import START, at, event, payment, signal, trial


def told(folder, *lines, **options):
    done = replays.run(folder, *lines, keep_store=True, **options)
    return life_timeline.entries(life("u", messages_about(done.folder / RAW, "u").messages, None))


def test_a_timeline_tells_what_came_then_what_came_of_it_and_why_others_made_no_offer(tmp_path):
    entries = told(tmp_path, payment(days=0), signal("u", 2, "auto_renew_off"), payment("other", 2))
    second = START + timedelta(days=2)
    assert [(entry.at, entry.kind, entry.text) for entry in entries] == [
        (START, EntryKind.EVENT, "payment succeeded: premium, 2026-01-01 to 2026-01-31"),
        (START, EntryKind.STATE, "none -> active, auto_renew yes, period_end 2026-01-31 00:00, plan premium"),
        (START, EntryKind.NO_OFFER, "student_plan (activated): not in its audience (student)"),
        (START, EntryKind.NO_OFFER, "family_upgrade (activated): not in its audience (shares_or_stays)"),
        (second, EntryKind.EVENT, "signal: auto_renew_off"),
        (second, EntryKind.STATE, "active, auto_renew no"),
        # Turning auto-renew off is a moment itself, and raises the risk of churn, which is another.
        *(
            (
                second,
                EntryKind.NO_OFFER,
                f"pause_instead_of_cancel ({moment}): another of its group has an offer (save_offer)",
            )
            for moment in ("auto_renew.off", "churn_risk.raised")
        ),
        (second, EntryKind.OFFER, "save_offer: half_price_for_three_months in cancel_flow (auto_renew.off)"),
    ]


def test_what_is_published_again_is_told_as_that_and_what_followed_once(tmp_path):
    once = told(tmp_path / "once", trial(), now=START + timedelta(days=12))
    twice = told(tmp_path / "twice", trial(), trial() | {"publish_time": at(1)}, now=START + timedelta(days=12))
    (again,) = [entry for entry in twice if entry not in once]
    assert again.text == "trial started: premium, until 2026-01-15 00:00 (published again: nothing changed)"
    assert [entry for entry in twice if entry != again] == once


def test_an_event_that_came_late_stands_where_it_happened(tmp_path):
    (entry, *_) = told(tmp_path, payment(days=0) | {"publish_time": at(5)})
    assert entry.at == START


def test_a_rejected_event_stands_where_it_was_rejected_with_its_reason_and_its_letter(tmp_path):
    (entry,) = told(tmp_path, payment(days=0, amount="much") | {"publish_time": at(5)})
    assert (entry.kind, entry.at) == (EntryKind.REFUSED, START + timedelta(days=5))
    assert entry.text.startswith("payment payment: invalid: amount: expected whole minor units")
    assert " (dead letter " in entry.text


def test_feedback_is_told_once_by_the_campaign_of_its_trigger(tmp_path):
    first = replays.run(tmp_path / "first", trial(), now=START + timedelta(days=12))
    (trigger,) = first.rows("triggers")
    given = event("trigger-feedback", "u", 12, "seen", trigger_id=trigger["trigger_id"], kind="impression")
    feedback = [one for one in told(tmp_path / "second", trial(), given) if one.kind is EntryKind.FEEDBACK]
    assert [one.text for one in feedback] == [f"trial_ending: impression (trigger {trigger['trigger_id'][:8]})"]
