from infra.inspect.timeline import EntryKind
from infra.replay.outputs import messages, timeline_of
from shared.contracts.topics import Topic
from tests.support import replays
from tests.support.replays import START, at, payment, signal, timedelta, trial


def told(folder, *lines, **options):
    done = replays.run(folder, *lines, **options)
    return timeline_of("u", folder / "events.jsonl", done.folder)


def test_a_timeline_tells_what_came_then_what_came_of_it_then_what_was_said(tmp_path):
    entries = told(tmp_path, payment(days=0), signal("u", 2, "auto_renew_off"), payment("other", 2))
    assert [(entry.at, entry.kind, entry.text) for entry in entries] == [
        (START, EntryKind.EVENT, "payment succeeded: premium, 2026-01-01 to 2026-01-31"),
        (START, EntryKind.STATE, "none -> active, auto_renew yes, period_end 2026-01-31 00:00, plan premium"),
        (START, EntryKind.NO_OFFER, "student_plan (activated): not in its audience (student)"),
        (START, EntryKind.NO_OFFER, "family_upgrade (activated): not in its audience (shares_or_stays)"),
        (START + timedelta(days=2), EntryKind.EVENT, "signal: auto_renew_off"),
        (START + timedelta(days=2), EntryKind.STATE, "active, auto_renew no"),
        (
            START + timedelta(days=2),
            EntryKind.OFFER,
            "save_offer: half_price_for_three_months in cancel_flow (auto_renew.off)",
        ),
        # Turning auto-renew off is a moment itself, and raises the risk of churn, which is another.
        *(
            (
                START + timedelta(days=2),
                EntryKind.NO_OFFER,
                f"pause_instead_of_cancel ({moment}): another of its group has an offer (save_offer)",
            )
            for moment in ("auto_renew.off", "churn_risk.raised")
        ),
    ]


def test_what_is_published_again_is_told_once(tmp_path):
    once = told(tmp_path / "once", trial(), now=START + timedelta(days=12))
    twice = told(tmp_path / "twice", trial(), trial(), trial(), now=START + timedelta(days=12))
    assert [entry for entry in twice if entry.kind is not EntryKind.EVENT] == [
        entry for entry in once if entry.kind is not EntryKind.EVENT
    ]
    assert [entry.kind for entry in twice].count(EntryKind.EVENT) == 3


def test_an_event_stands_where_it_was_delivered_and_not_where_it_happened(tmp_path):
    (entry, *_) = told(tmp_path, payment(days=0) | {"publish_time": at(5)})
    assert entry.at == START + timedelta(days=5)


def test_a_refused_event_is_told_with_its_reason(tmp_path):
    (entry,) = told(tmp_path, payment(days=0, amount="much"))
    assert entry.kind is EntryKind.REFUSED
    assert entry.text.startswith("invalid: amount: expected whole minor units")


def test_messages_can_be_searched_by_what_they_hold(tmp_path):
    done = replays.run(tmp_path, payment("u", 0), payment("v", 0))
    found = messages(done.folder, Topic.SUBSCRIPTION_CHANGE, b'"user_id":"v"')
    assert [body["user_id"] for body in found] == ["v"]
