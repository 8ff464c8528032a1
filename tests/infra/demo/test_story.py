import json

import pytest

from infra.demo import story, tour
from infra.inspect.timeline import EntryKind
from infra.replay.outputs import messages
from shared.contracts.topics import Topic

TALE = story.load()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return tour.replay_story(tmp_path_factory.mktemp("story"), TALE)


@pytest.mark.parametrize("chapter", TALE.chapters, ids=lambda chapter: chapter.title)
def test_each_chapter_brings_exactly_the_triggers_it_promises(told, chapter):
    begins, ends = (at.isoformat().replace("+00:00", "Z") for at in (chapter.begins_at, chapter.ends_at))
    issued = [
        trigger["campaign_id"]
        for trigger in messages(told.folder, Topic.UPSELL_TRIGGER)
        if trigger["kind"] == "issued" and begins <= trigger["decided_at"] < ends
    ]
    assert tuple(issued) == chapter.triggers


def test_the_chapters_hold_the_whole_story(told):
    instants = [entry.at for _, entries in told.chapters for entry in entries]
    assert instants == sorted(instants)
    kinds = [entry.kind for _, entries in told.chapters for entry in entries]
    assert kinds.count(EntryKind.EVENT) + kinds.count(EntryKind.FEEDBACK) == len(TALE.events)
    assert told.summary.applied == told.summary.events_read == len(TALE.events)
    assert all(chapter.begins_at < chapter.ends_at for chapter, _ in told.chapters)


def test_it_says_why_others_made_no_offer(told):
    reasons = " ".join(
        entry.text for _, entries in told.chapters for entry in entries if entry.kind is EntryKind.NO_OFFER
    )
    for reason in ("not in its audience (student)", "it rests", "another of its group has an offer (save_offer)"):
        assert reason in reasons


def test_whatever_ceased_to_be_true_was_withdrawn(told):
    revoked = [
        entry.text.split(":")[0]
        for _, entries in told.chapters
        for entry in entries
        if entry.kind is EntryKind.REVOKED
    ]
    assert revoked == ["trial_ending", "trial_ending", "payment_recovery", "win_back"]


def test_it_ends_as_it_is_told(told):
    (user,) = map(json.loads, (told.folder / "subscriptions.jsonl").read_bytes().splitlines())
    assert (user["status"], user["trial_used"], user["auto_renew"]) == ("active", True, True)
