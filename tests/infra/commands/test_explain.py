import json
from datetime import timedelta

import pytest

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.raw.folder import RAW
from infra.replay.stores import STORE
from shared.decisioning.document.vocabulary import AT_OFFSETS
from shared.domain.offsets import OFFSET_EXPECTED
from tests.infra.commands.pages import NARROW
from tests.support import replays
from tests.support.replays import START, at, payment, signal, trial


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A replay whose store was kept, with one user about whom was decided twice lately."""
    return replays.run(
        tmp_path_factory.mktemp("kept"),
        trial(),
        payment(days=13),
        payment(days=43, outcome="failed", event_id="failed"),
        signal("u", 43.25, "auto_renew_off"),
        now=START + timedelta(days=44),
        keep_store=True,
    ).folder


@pytest.fixture
def explain(run, kept):
    return lambda *words, **more: run("explain", "u", "--store", str(kept), *words, **more)


def words(text):
    """The words of a tree, without its branches."""
    return " ".join("".join(char if char.isascii() else " " for char in text).split())


def test_the_newest_decision_is_told_as_a_tree(explain):
    done = explain(env=NARROW)
    assert (done.exit_code, done.stderr) == (0, "")
    told = words(done.stdout)
    for text in (
        "u: grace, entitled, plan premium, auto_renew no, trial_ends_at 2026-01-15 00:00",
        f"Decided at 2026-02-13 06:00 UTC by catalog {load_catalog().version}, after a churn-signal event:",
        "auto_renew.off in cancel_flow save_offer (half_price_for_three_months): issued",
        "pause_instead_of_cancel (pause_up_to_three_months): lost",
        "lost (audience) stopped: not in its audience (active)",
        "clause active: subscription.status == 'active' subscription.status was grace",
        "Older decisions, newest first (--moment picks one): 2026-02-13 00:00 payment.failed, churn_risk",
    ):
        assert text in told
    assert "\x1b" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_of_a_moment_the_newest_decision_about_it_is_told(explain):
    told = words(explain("--moment", "payment.failed").stdout)
    assert "payment.failed in email payment_recovery (update_payment_method): issued" in told
    assert "auto_renew.off" not in told


def test_as_json_the_decision_is_told_as_it_was_published(explain, kept):
    told = json.loads(explain("--moment", "payment.failed", "--json").stdout)
    published = [json.loads(line) for line in (kept / "decisions.jsonl").read_text().splitlines()]
    assert told in published
    assert told["moments"] == ["payment.failed", "churn_risk.raised"]


def test_a_moment_that_never_came_is_a_failure_that_says_how_to_decide_afresh(explain):
    done = explain("--moment", "lapsed")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "error: no decision about lapsed is on record for 'u';"
        " add --catalog FILE to see the decision if lapsed occurred now\n"
    )


def test_with_a_catalog_it_is_decided_as_if_the_moment_came_now_and_said_to_be_hypothetical(explain, kept):
    before = (kept / STORE).read_bytes()
    done = explain("--moment", "auto_renew.on", "--catalog", str(DEFAULT_CATALOG))
    assert done.exit_code == 0
    told = words(done.stdout)
    assert "Hypothetical: none of this happened. If it occurred at 2026-02-14 00:00 UTC" in told
    assert "auto_renew.on no campaign listens to it" in told
    assert (kept / STORE).read_bytes() == before


def test_a_hypothetical_decision_passes_the_same_gates(explain, tmp_path):
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("""
        placements: {banner: {channel: in_app}}
        offers: {thanks: {cms_ref: offers/thanks, validity_hours: 24}}
        audiences:
          nobody: {all: [{gone: subscription.status == 'expired'}]}
          failing: {all: [{failing: subscription.payment_failing}]}
        campaigns:
          first: {offer: thanks, placement: banner, moments: [plan.changed], priority: 9, audience: nobody}
          second: {offer: thanks, placement: banner, moments: [plan.changed], priority: 8, audience: failing}
          third: {offer: thanks, placement: banner, moments: [plan.changed], priority: 7}
    """)
    told = json.loads(explain("--moment", "plan.changed", "--catalog", str(catalog), "--json").stdout)
    assert told["hypothetical"] is True
    assert [(it["campaign_id"], it["outcome"], it["reason"], it["detail"]) for it in told["candidates"]] == [
        ("first", "lost", "audience", "gone"),
        ("second", "issued", None, None),
        ("third", "lost", "outranked", "second"),
    ]


def test_a_moment_that_would_not_be_true_of_the_user_is_decided_all_the_same_and_said_to_be_stale(explain):
    asked = ("--moment", "lapsed@30", "--catalog", str(DEFAULT_CATALOG))
    told = words(explain(*asked).stdout)
    assert "It would be stale if it came now: lapsed is not true: status grace, auto_renew no" in told
    assert (
        "lapsed@30d in email win_back (come_back): lost (audience) stopped: not in its audience (expired)" in told
    )
    assert json.loads(explain(*asked, "--json").stdout)["untrue"].startswith("lapsed is not true: status grace")


def test_a_moment_that_would_be_true_is_not_said_to_be_stale(explain):
    asked = ("--moment", "lapsed", "--catalog", str(DEFAULT_CATALOG), "--now", at(300))
    assert "stale" not in explain(*asked).stdout
    assert json.loads(explain(*asked, "--json").stdout)["untrue"] is None


def test_what_was_stale_says_why(run, tmp_path):
    late = {**signal("u", 1, "auto_renew_off"), "publish_time": at(6)}
    folder = replays.run(tmp_path, trial(), late, keep_store=True).folder
    told = words(run("explain", "u", "--store", str(folder), "--moment", "auto_renew.off").stdout)
    assert "stopped: too late (it is of 2026-01-02 00:00, too long ago)" in told


def test_a_milestone_comes_true_at_the_time_it_is_asked_for(explain):
    asked = ("--moment", "lapsed", "--catalog", str(DEFAULT_CATALOG), "--now", at(300), "--json")
    (candidate,) = json.loads(explain(*asked).stdout)["candidates"]
    assert (candidate["campaign_id"], candidate["outcome"]) == ("win_back", "issued")


def test_what_is_on_record_comes_before_what_would_be(explain):
    told = explain("--moment", "payment.failed", "--catalog", str(DEFAULT_CATALOG), "--json")
    assert "hypothetical" not in json.loads(told.stdout)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("renewd", "one of trial.started,"),
        ("renewed@3", f"renewed without an offset (only {', '.join(sorted(AT_OFFSETS))} have one)"),
        ("lapsed@", f"{OFFSET_EXPECTED} after lapsed@"),
        ("lapsed@x", f"{OFFSET_EXPECTED} after lapsed@"),
        ("", "one of trial.started,"),
    ],
)
def test_a_moment_that_is_none_is_a_usage_error(explain, moment, expected):
    done = explain("--moment", moment)
    assert done.exit_code == 2
    assert f"--moment: expected {expected}" in done.stderr
    assert f"found '{moment}'" in done.stderr


def test_an_unknown_user_is_a_failure(run, kept):
    done = run("explain", "nobody", "--store", str(kept))
    assert done.exit_code == 1
    assert done.stderr == f"error: no user 'nobody' in {kept} or in {kept / RAW}\n"


def test_an_invalid_catalog_is_a_usage_error(explain, tmp_path):
    (tmp_path / "bad.yaml").write_text("ofers: {}")
    done = explain("--moment", "lapsed", "--catalog", str(tmp_path / "bad.yaml"))
    assert done.exit_code == 2
    assert "ofers: expected a known field (offers?)" in done.stderr


def test_a_user_of_whom_nothing_was_decided_is_a_failure_that_says_so(run, tmp_path):
    folder = replays.run(tmp_path, payment("quiet", 0, "pending"), keep_store=True).folder
    done = run("explain", "quiet", "--store", str(folder))
    assert done.exit_code == 1
    assert "no decision is on record for 'quiet'" in done.stderr
