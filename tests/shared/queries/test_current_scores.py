"""The scores of a user now, and with what they were raised."""

from dataclasses import replace
from datetime import timedelta

from infra.catalog.load import load_catalog
from infra.raw.folder import RAW
from infra.raw.reader import messages_about
from infra.replay.stores import STORE, read_document
from shared.decisioning.compile import compile_catalog
from shared.decisioning.library import Library
from shared.domain.terms import Terms
from shared.queries.current_scores import CurrentScore, current_scores
from shared.queries.life import Life, life
from shared.record.codec import unpack
from shared.record.user_record import UserRecord
from tests.support import replays
from tests.support.replays import START, payment, signal

TERMS, CATALOG = Terms(), load_catalog()
NOW = START + timedelta(days=3)


def raised(folder):
    done = replays.run(folder, payment(days=0), signal("u", 1, "auto_renew_off"), now=NOW, keep_store=True)
    record = unpack(read_document(done.folder / STORE, "u").blob)
    return record, life("u", messages_about(done.folder / RAW, "u").messages, record)


def test_a_raised_score_is_told_with_the_value_that_the_decision_had(tmp_path):
    record, whole = raised(tmp_path)
    (score,) = current_scores(record, CATALOG, NOW, TERMS, whole)
    (decision,) = [one.body for one in whole.entries if "churn_risk.raised" in one.body.get("moments", ())]
    assert score.is_raised
    assert score.raised_at == START + timedelta(days=1)
    assert score.raised_with == decision["context"]["scores.churn_risk"]
    assert 0 <= score.value <= 1
    assert (score.raises, score.at_least, score.rearm_below) == ("churn_risk.raised", 0.5, 0.3)


def test_a_past_does_not_tell_which_scores_were_raised(tmp_path):
    record, whole = raised(tmp_path)
    (score,) = current_scores(record, CATALOG, NOW, TERMS, whole, is_past=True)
    assert score.is_raised is None
    assert score.raised_at is not None


def test_a_score_without_its_artifact_says_so_and_one_that_raises_nothing_was_never_raised(tmp_path):
    record, whole = raised(tmp_path)
    bare = compile_catalog({"scores": {"churn_risk": {"version": 1}}})
    (score,) = current_scores(record, bare, NOW, TERMS, whole)
    assert score == CurrentScore("churn_risk", 1, None, "score churn_risk version 1: no such artifact")
    assert [*current_scores(UserRecord("u"), compile_catalog({}), NOW, TERMS, Life("u"))] == []


def test_a_moment_that_another_score_raised_is_not_taken_for_this_one(tmp_path):
    record, whole = raised(tmp_path)
    high = compile_catalog(
        {
            "scores": {
                "churn_risk": {
                    "version": 1,
                    "raises": {"moment": "churn_risk.raised", "at_least": 0.99, "rearm_below": 0.9},
                }
            }
        }
    )
    (score,) = current_scores(record, replace(high, library=Library(CATALOG.library.score)), NOW, TERMS, whole)
    assert (score.raised_at, score.raised_with) == (None, None)
