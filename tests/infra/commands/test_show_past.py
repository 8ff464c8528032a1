"""The past in `show` and `explain`: what a replay that ended then says, or the reason why it is not known."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG
from infra.raw.folder import RAW, file_of
from infra.raw.reader import messages_about
from infra.replay.stores import STORE, read_document
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from shared.domain.terms import Terms
from shared.queries.past import from_ring, is_past
from shared.queries.past_log import from_log
from shared.queries.user_view import summary, to_json
from shared.record.codec import unpack
from tests.infra.commands.pages import NARROW
from tests.support import replays
from tests.support.replays import START, at, event, payment, signal, trial

SHOWN = trigger_id("u", cause_of("payment", "", "failed"), "payment_recovery")
LIVES = [
    trial() | {"data": trial()["data"] | {"profile": {"country": "SE"}}},
    payment(days=13) | {"data": payment(days=13)["data"] | {"profile": {"country": "DE"}}},
    payment(days=43, outcome="failed", event_id="failed"),
    signal("u", 43.25, "inactivity"),
    event("trigger-feedback", "u", 43.5, "feedback", trigger_id=SHOWN, kind="impression"),
    payment(days=45, event_id="recovered"),
]
END = START + timedelta(days=50)
TERMS = Terms()
LONG = [
    each | {"publish_time": each["data"]["occurred_at"]}
    for month in range(60)
    for each in (
        payment(days=30 * month, event_id=f"p-{month}"),
        signal("u", 30 * month + 10, "auto_renew_off", f"off-{month}"),
        signal("u", 30 * month + 20 + month / 100, "auto_renew_on", f"on-{month}"),
    )
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    return replays.run(folder, *LIVES, now=END, keep_store=True).folder


@pytest.fixture
def without_log(kept, tmp_path):
    for name in (STORE, "summary.json"):
        shutil.copy(kept / name, tmp_path / name)
    return tmp_path


def shown(run, folder, days, *words):
    done = run("show", "u", "--store", str(folder), "--now", at(days), "--json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def ended_at(folder, lines, instant):
    """The subscription as a replay tells it that ends at an instant; None if nothing was known of the user."""
    told = [line for line in lines if datetime.fromisoformat(_published(line)) <= instant]
    rows = replays.run(folder, *told, now=instant).rows("subscriptions")
    return rows[0] if rows else None


def _published(line):
    return line.get("publish_time") or line["data"]["occurred_at"]


INSTANTS = [-1, 0, 5, 12.9, 13, 20, 43, 43.3, 43.5, 44, 45, 46]


@pytest.mark.parametrize("days", INSTANTS)
@pytest.mark.parametrize("source", ["raw log", "ring"])
def test_the_past_is_what_a_replay_that_ended_then_says(run, kept, without_log, tmp_path, days, source):
    told = shown(run, kept if source == "raw log" else without_log, days)
    instant = START + timedelta(days=days)
    expected = ended_at(tmp_path / "then", LIVES, instant)
    if is_past(document(kept), instant):
        assert (told["past"]["source"], told["past"]["known"]) == (
            source,
            "then" if source == "raw log" else "now",
        )
    else:
        assert "past" not in told
    if expected is None:
        assert told["status"] == "none"
    else:
        assert expected.items() <= told.items()


def document(folder, user="u"):
    return unpack(read_document(folder / STORE, user).blob)


@pytest.mark.slow
@pytest.mark.parametrize("days", INSTANTS[1:])
def test_triggers_profile_and_signals_of_the_past_are_those_of_a_replay_that_ended_then(run, kept, tmp_path, days):
    instant = START + timedelta(days=days)
    lines = [line for line in LIVES if datetime.fromisoformat(_published(line)) <= instant]
    then = replays.run(tmp_path, *lines, now=instant, keep_store=True).folder
    ours, theirs = shown(run, kept, days), shown(run, then, days)
    for name in ("profile", "events", "grants", "decisions", "fired"):
        assert ours[name] == theirs[name], name
    for view in (ours, theirs):  # the identity of feedback is not told by messages
        for each in view["signals"] + view["triggers"]:
            each.pop("cause")
    assert ours["signals"] == theirs["signals"]
    assert ours["triggers"] == theirs["triggers"]


def test_what_is_not_known_of_the_past_is_null_and_named(run, kept):
    told = shown(run, kept, 20)
    assert told["past"]["unknown"] == ["scores_up", "deferred", "next_due_at"]
    assert [told[name] for name in told["past"]["unknown"]] == [None] * 3


def test_the_page_says_where_the_past_is_from_and_what_may_be_missing(run, kept, without_log):
    words = ("show", "u", "--now", at(20), "--store")
    from_log_ = run(*words, str(kept), env=NARROW).stdout
    assert "The past, as it was known then, from the raw log.\n" in from_log_
    assert "country  DE" in from_log_
    assert "missing" not in from_log_
    ring = " ".join(run(*words, str(without_log), env=NARROW).stdout.split())
    assert "The past, as it is known now, from the ring: events may have arrived after it." in ring
    assert "Something may be missing of: decisions, pending." in ring
    assert "unknown what is due next: only a document of the present tells it" in ring
    profile = " ".join(run("show", "u", "--now", at(5), "--store", str(without_log), env=NARROW).stdout.split())
    assert "missing of: profile, decisions, pending." in profile


def test_without_now_the_present_is_shown_even_if_another_clock_was_ahead(run, tmp_path):
    """A store without the summary of its replay is read by this machine's clock."""
    ahead = replays.run(tmp_path, payment(days=9000), now=START + timedelta(days=9000), keep_store=True).folder
    (ahead / "summary.json").unlink()
    told = json.loads(run("show", "u", "--store", str(ahead), "--json").stdout)
    assert "past" not in told
    assert len(told["events"]) == 1


def test_the_raw_log_may_lie_elsewhere(run, kept, without_log):
    told = shown(run, without_log, 20, "--raw", str(kept / RAW))
    assert told["past"]["source"] == "raw log"
    done = run("show", "u", "--store", str(kept), "--raw", str(without_log))
    assert done.exit_code == 2
    assert f"{without_log}: expected the folder of a raw log" in done.stderr


def test_a_trigger_that_was_revoked_later_was_open_and_one_revoked_at_an_unknown_time_says_so(run, kept):
    record = document(kept)
    (revoked,) = [one for one in record.triggers if one.campaign_id == "trial_ending"]
    open_then = START + timedelta(days=12)
    past = from_ring(record, open_then, TERMS)
    assert [(one.revoked, one.revoke_reason) for one in past.record.triggers] == [(False, "")]
    assert past.unknown_revocations == {revoked.trigger_id}
    over = from_ring(record, revoked.expires_at, TERMS)
    assert [one.revoked for one in over.record.triggers][:1] == [True]
    assert over.unknown_revocations == frozenset()
    (told,) = shown(run, kept, 12)["triggers"]
    assert (told["state"], told["revoked"]) == ("issued", False)


def test_a_revocation_at_an_unknown_time_is_null_in_json_and_told_on_the_page(run, without_log):
    (told,) = shown(run, without_log, 12)["triggers"]
    assert (told["state"], told["revoked"], told["revoke_reason"]) == (None, None, None)
    page = run("show", "u", "--store", str(without_log), "--now", at(12), env=NARROW).stdout
    assert "trial_ending  revoked, then or later" in page


class TestMoreEventsThanTheRingHolds:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("long")
        return replays.run(folder, *LONG, keep_store=True).folder

    @pytest.fixture
    def bare(self, folder, tmp_path):
        shutil.copy(folder / STORE, tmp_path / STORE)
        return tmp_path

    def test_the_ring_has_overflowed(self, folder):
        history = document(folder).history
        assert history.mark is not None
        assert len(history.ring) < len(LONG)

    @pytest.mark.slow
    @pytest.mark.parametrize("days", range(0, 1800, 150))
    def test_the_raw_log_reaches_back_to_the_first_event(self, run, folder, tmp_path, days):
        expected = ended_at(tmp_path, LONG, START + timedelta(days=days))
        assert expected.items() <= shown(run, folder, days).items()

    def test_the_ring_reaches_back_to_its_base_and_refuses_what_is_before(self, run, folder, bare, tmp_path):
        begins = datetime.fromtimestamp(document(folder).history.mark[0] / 1e6, START.tzinfo)
        days = (begins - START) / timedelta(days=1)
        expected = ended_at(tmp_path / "at", LONG, begins)
        assert expected.items() <= shown(run, bare, days).items()
        done = run("show", "u", "--store", str(bare), "--now", at(days - 0.001))
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"the document tells only what was from {begins:%Y-%m-%d %H:%M} UTC on" in " ".join(
            done.stderr.split()
        )
        assert "there is no raw log (--raw)" in done.stderr

    def test_a_log_that_lacks_events_is_not_believed(self, run, folder, bare):
        (bare / RAW).mkdir()
        for file in (folder / RAW).iterdir():
            (bare / RAW / file.name).write_bytes(file.read_bytes())
        lines = file_of(folder / RAW, "payment").read_bytes().splitlines(keepends=True)
        file_of(bare / RAW, "payment").write_bytes(b"".join(lines[30:]))
        done = run("show", "u", "--store", str(bare), "--now", at(100))
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"the raw log in {bare / RAW} lacks messages about the user" in " ".join(done.stderr.split())
        assert shown(run, bare, 1700)["past"]["source"] == "ring"

    def test_a_log_that_begins_in_the_midst_of_a_life_is_not_believed(self, folder):
        record = document(folder)
        messages = messages_about(folder / RAW, "u").messages
        instant = START + timedelta(days=1000)
        assert from_log(record, messages, instant, TERMS) is not None
        for first in (1, 5, 40, 300):
            assert from_log(record, messages[first:], instant, TERMS) is None


def test_garbage_in_the_log_is_skipped_told_and_harmless(run, kept, tmp_path):
    for name in (STORE, "summary.json"):
        shutil.copy(kept / name, tmp_path / name)
    (tmp_path / RAW).mkdir()
    for file in (kept / RAW).iterdir():
        garbage = b'\xff\n{"a": 1}\n\n' if file.stem == "payment" else b'{"torn'
        (tmp_path / RAW / file.name).write_bytes(file.read_bytes() + garbage)
    done = run("show", "u", "--store", str(tmp_path), "--now", at(20), "--json")
    assert json.loads(done.stdout) == shown(run, kept, 20)
    assert (
        f"skipped {tmp_path / RAW / 'decision.jsonl'}: line 4, not finished: expected a JSON object" in done.stderr
    )
    assert "payment.jsonl: line 5: expected subscription_name" in done.stderr


def test_messages_out_that_are_not_of_our_contract_are_not_believed(kept):
    record, instant = document(kept), START + timedelta(days=20)
    messages = messages_about(kept / RAW, "u").messages
    told = from_log(record, messages, instant, TERMS)
    for body in (
        b"[]",
        b'{"user_id": "u"}',
        b'{"user_id": "u", "sequence": "x", "decided_at": 5, "kind": "issued"}',
    ):
        bad = [each._replace(delivery=each.delivery._replace(data=body)) for each in messages[-9:]]
        assert from_log(record, [*messages, *bad], instant, TERMS) == told


def test_explain_tells_the_newest_decision_by_then(run, kept):
    told = json.loads(run("explain", "u", "--store", str(kept), "--now", at(44), "--json").stdout)
    before = json.loads(run("explain", "u", "--store", str(kept), "--now", at(12), "--json").stdout)
    assert told["decided_at"] > before["decided_at"]
    assert datetime.fromisoformat(before["decided_at"]) <= START + timedelta(days=12)
    page = run("explain", "u", "--store", str(kept), "--now", at(12), env=NARROW).stdout
    assert page.startswith("The past, as it was known then, from the raw log.\nu: trialing")


HYPOTHETICAL = ("--moment", "renewed", "--catalog", str(DEFAULT_CATALOG), "--json")


def test_a_hypothetical_decision_of_the_past_asks_what_was_known_then_or_is_refused(run, kept, without_log):
    words = ("explain", "u", "--now", at(5), *HYPOTHETICAL, "--store")
    assert json.loads(run(*words, str(kept)).stdout)["hypothetical"]
    refused = run(*words, str(without_log))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "cannot be made: not all is known of profile" in " ".join(refused.stderr.split())


ids = st.sampled_from(["e-1", "e-2", "e-3", "e-4", "e-5"])
days = st.integers(0, 60).map(lambda halves: halves / 2)
outcomes = st.sampled_from(["succeeded", "succeeded", "failed", "refunded"])
signals = st.sampled_from(["auto_renew_off", "auto_renew_on", "cancelled", "inactivity", "pause_scheduled"])
events = (
    st.builds(trial, st.just("u"), days, st.integers(31, 40), ids)
    | st.builds(payment, st.just("u"), days, outcomes, ids)
    | st.builds(signal, st.just("u"), days, signals, ids)
)
delays = st.sampled_from([0, 0, 0, 0.25, 3, 20])


def arriving(line, delay):
    days_ = (datetime.fromisoformat(line["data"]["occurred_at"]) - START) / timedelta(days=1)
    return line | {"publish_time": at(days_ + delay)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(arriving, events, delays), min_size=1, max_size=10), days)
def test_in_whatever_order_events_arrive_the_log_tells_what_was_known_then(history, day):
    history = sorted(history, key=_published)
    instant = START + timedelta(days=day)
    with TemporaryDirectory() as name:
        kept = replays.run(Path(name) / "all", *history, keep_store=True, now=END).folder
        record = document(kept)
        expected = ended_at(Path(name) / "then", history, instant)
        past = from_log(record, messages_about(kept / RAW, "u").messages, instant, TERMS)
    assert past is not None
    if expected:
        assert to_json(summary(past.record, instant, TERMS)) == expected
    else:
        assert past.record.history.ring == ()


@pytest.mark.parametrize("raw", [(), ("--raw", "none")], ids=["raw log", "ring"])
def test_attributes_of_the_past_are_those_that_were_known_then(run, tmp_path, raw):
    def with_level(line, level):
        return line | {"data": line["data"] | {"profile": {"attributes": {"level": level}}}}

    lines = [with_level(trial(), 1), with_level(payment(days=13), 2), payment(days=43, event_id="later")]
    folder = replays.run(tmp_path, *lines, keep_store=True, now=END).folder
    then, earlier = shown(run, folder, 20, *raw), shown(run, folder, 5, *raw)
    assert then["profile"]["attributes"] == {"level": 2}
    if raw:
        assert earlier["profile"]["attributes"] == {}
        assert "attributes" in earlier["past"]["incomplete"]
    else:
        assert earlier["profile"]["attributes"] == {"level": 1}
        assert earlier["past"]["incomplete"] == []
