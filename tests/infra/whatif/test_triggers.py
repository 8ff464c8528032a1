import orjson
import pytest

from infra.replay.outputs import messages
from infra.whatif.triggers import CandidateKey, CandidateOutcome, IssuedTriggers, candidate_outcomes
from shared.contracts.topics import Topic

KEY = CandidateKey("u", "thanks", "renewed", "cause")


def message(trigger_id="t-1", kind="issued", **facts):
    common = {
        "user_id": "u",
        "campaign_id": "thanks",
        "moment": "renewed",
        "cause": "cause",
        "placement": "banner",
    }
    return {**common, "trigger_id": trigger_id, "kind": kind, "decided_at": "2026-01-01T00:00:00Z", **facts}


def candidate(reason, detail=None, **facts):
    common = {"campaign_id": "thanks", "moment": "renewed", "cause": "cause"}
    return {**common, "outcome": "lost" if reason else "issued", "reason": reason, "detail": detail, **facts}


@pytest.fixture
def folder(tmp_path):
    """Writes output files of a replay."""

    def write(name, *bodies):
        (tmp_path / name).write_bytes(b"".join(orjson.dumps(body) + b"\n" for body in bodies))
        return tmp_path

    return write


def issued_in(folder):
    return IssuedTriggers(messages(folder, Topic.UPSELL_TRIGGER))


def test_a_trigger_is_one_however_often_it_is_published(folder):
    issued = issued_in(folder("triggers.jsonl", message(), message(), message("t-2", user_id="v")))
    assert [*issued.triggers] == ["t-1", "t-2"]
    assert issued.users == 2
    assert issued.by_campaign() == {"thanks": 2}
    assert issued.by_placement() == {"banner": (2, 2)}


def test_a_revoked_trigger_is_issued_and_revoked(folder):
    issued = issued_in(folder("triggers.jsonl", message(), message(kind="revoked")))
    assert ([*issued.triggers], issued.revoked) == (["t-1"], {"t-1"})


def test_what_makes_a_difference_is_kept_whatever_it_is_called(folder):
    versions = {"catalog_version": "v1", "policy_version": "p1", "sequence": 7, "schema_version": 1}
    (offered,) = issued_in(
        folder("triggers.jsonl", message(offer_id="gift", new_fact=3, **versions))
    ).triggers.values()
    assert offered.key == KEY
    assert offered.facts == {
        "placement": "banner",
        "decided_at": "2026-01-01T00:00:00Z",
        "offer_id": "gift",
        "new_fact": 3,
    }


def test_the_last_that_was_said_of_a_candidate_counts(folder):
    deferred = {
        "user_id": "u",
        "candidates": [candidate("deferred", "until later"), candidate("cap", moment="paused")],
    }
    lost = {"user_id": "u", "candidates": [candidate("outranked", "other")]}
    of_another = {"user_id": "v", "candidates": [candidate(None)]}
    written = folder("decisions.jsonl", deferred, lost, of_another)
    assert candidate_outcomes(messages(written, Topic.DECISION), {KEY}) == {
        KEY: CandidateOutcome("outranked", "other")
    }


def test_what_was_not_considered_has_no_answer():
    assert candidate_outcomes([], {KEY}) == {}


def test_without_a_reason_the_outcome_is_the_answer(folder):
    written = folder("decisions.jsonl", {"user_id": "u", "candidates": [candidate(None)]})
    assert candidate_outcomes(messages(written, Topic.DECISION), {KEY}) == {KEY: CandidateOutcome("issued", None)}
