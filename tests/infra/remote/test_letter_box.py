"""The letter box: letters are read without keeping them from others, and dealt with one at a time."""

import threading
from datetime import UTC, datetime

import pytest

from infra.errors import InfraError
from infra.remote.letter_box import LetterBox, LetterGone
from infra.remote.letter_records import Action
from infra.topology import load
from tests.infra.remote.test_dead_letters import Box, forwarded, ours, received

AT = datetime(2026, 3, 1, tzinfo=UTC)
BY = (AT, "kim", "a test")


class Kept(list):
    """The records that were kept."""

    fails = False

    def __call__(self, record):
        if self.fails:
            raise InfraError("Firestore does not answer")
        self.append(record)


def box_of(*letters):
    bus, kept = Box(*letters), Kept()
    return bus, kept, LetterBox(bus, load(), kept)


def numbers(received):
    return sorted(one.message_id for one in received)


def test_reading_returns_every_letter_to_the_others():
    bus, _, box = box_of(ours(1), forwarded(2), received(3, b"no letter"))
    letters = box.letters()
    assert ([letter.reason for letter in letters.readable], letters.unreadable) == (["undelivered", "invalid"], 1)
    assert (numbers(bus.held), bus.out) == (["1", "2", "3"], [])


def test_letters_are_remembered_for_a_while_and_not_after_one_was_dealt_with():
    bus, _, box = box_of(ours(1), ours(2, topic="trial-start"))
    first, _ = box.letters().readable
    bus.held.append(ours(3, reason="too_large"))
    assert len(box.letters().readable) == 2
    assert len(box.letters(max_age=-1).readable) == 3
    box.send_back(first.id, *BY)
    assert len(box.letters().readable) == 2


def test_a_letter_that_is_sent_back_is_on_record_and_gone():
    bus, kept, box = box_of(ours(1), ours(2, data=b"{}"))
    letter = next(one for one in box.letters().readable if one.data == b"{}")
    published = box.send_back(letter.id, *BY, mended=b'{"a":1}')
    assert bus.published == [("payment", b'{"a":1}', {"k": "v"})]
    assert (numbers(bus.held), bus.out) == (["1"], [])
    [record] = kept
    assert (record.action, record.by, record.why, record.published, record.changed) == (
        Action.MENDED,
        "kim",
        "a test",
        published,
        ("a",),
    )


def test_a_dropped_letter_is_on_record_before_it_is_gone():
    bus, kept, box = box_of(ours(1))
    [letter] = box.letters().readable
    kept.fails = True
    with pytest.raises(InfraError, match="does not answer"):
        box.drop(letter.id, *BY)
    assert numbers(bus.held) == ["1"], "what is not on record is not dropped"
    kept.fails = False
    box.drop(letter.id, *BY)
    assert (bus.held, bus.out, [one.action for one in kept]) == ([], [], [Action.DROPPED])


def test_copies_of_a_letter_are_sent_once():
    bus, kept, box = box_of(ours(1), ours(2), ours(3, topic="trial-start"))
    letter = next(one for one in box.letters().readable if one.topic == "payment")
    box.send_back(letter.id, *BY)
    assert (len(bus.published), len(kept), numbers(bus.held)) == (1, 1, ["3"])


def test_a_letter_that_another_tab_has_dealt_with_is_told_and_nothing_is_sent():
    bus, kept, box = box_of(ours(1), ours(2, topic="trial-start"))
    letter, _ = box.letters().readable
    box.send_back(letter.id, *BY)
    for act in (box.send_back, box.drop):
        with pytest.raises(LetterGone, match="is not among the dead letters now"):
            act(letter.id, *BY)
    assert (len(bus.published), len(kept), len(bus.held)) == (1, 1, 1)


def test_a_failure_to_publish_loses_no_letter():
    bus, kept, box = box_of(ours(1), ours(2, topic="trial-start"))
    bus.fails_after = 0
    with pytest.raises(InfraError, match="the bus does not answer"):
        box.send_back(box.letters().readable[0].id, *BY)
    assert (numbers(bus.held), bus.out, kept) == (["1", "2"], [], [])


def test_many_tabs_at_once_send_each_letter_once():
    bus, kept, box = box_of(*(ours(number, data=str(number).encode()) for number in range(40)))
    ids = [letter.id for letter in box.letters().readable]
    gone = []

    def tab():
        for letter_id in ids:
            try:
                box.send_back(letter_id, *BY)
            except LetterGone:
                gone.append(letter_id)
            box.letters(max_age=-1)

    tabs = [threading.Thread(target=tab) for _ in range(3)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert sorted(data for _, data, _ in bus.published) == sorted(str(number).encode() for number in range(40))
    assert (len(kept), len(gone), bus.held, bus.out) == (40, 80, [], [])
