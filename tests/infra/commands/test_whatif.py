import json

import pytest
import yaml

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from tests.infra.commands.pages import NARROW
from tests.support.replays import event, payment, signal, trial, write

USERS = [f"u-{number}" for number in range(6)]


def history():
    """Six users who try, pay, renew, and leave in the end; some fail to pay on the way."""
    for number, user in enumerate(USERS):
        start = number / 8
        yield trial(user, start, start + 14)
        yield payment(user, start + 14, event_id="first")
        for month in range(1, 8):
            yield payment(user, start + 14 + 30 * month, event_id=f"month-{month}")
        if number % 2:
            yield payment(user, start + 254, "failed", event_id="failed")
        yield signal(user, start + 255, "auto_renew_off", "off")


def instant(line):
    return line["data"]["occurred_at"]


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return write(tmp_path_factory.mktemp("history") / "events.jsonl", sorted(history(), key=instant))


@pytest.fixture
def changed(tmp_path):
    """Writes the default catalog with changes made to it."""

    def change(edit):
        content = yaml.safe_load(DEFAULT_CATALOG.read_text())
        edit(content)
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return change


@pytest.fixture
def study(run, events, changed):
    """What `--json` tells of the default catalog and of one with changes made to it."""

    def told(edit, *words, history=events):
        done = run(
            "whatif", str(history), "--from", str(DEFAULT_CATALOG), "--to", str(changed(edit)), "--json", *words
        )
        assert (done.exit_code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return told


def nothing(_content):
    pass


def less_often(content):
    content["campaigns"]["family_upgrade"]["cap"]["max"] = 1


def test_the_same_catalog_gives_the_same_triggers(run, events):
    catalog = str(DEFAULT_CATALOG)
    done = run("whatif", str(events), "--from", catalog, "--to", catalog)
    assert done.exit_code == 0
    assert done.stdout.endswith("Every trigger is the same.\n")


def test_a_lower_cap_makes_triggers_vanish_and_says_that_it_is_the_cap(study):
    told = study(less_often, "--examples", "2")
    effect = told["campaigns"]["family_upgrade"]
    assert effect["vanish"]["triggers"] == effect["issued"]["before"] - effect["issued"]["after"] == 6
    assert effect["vanish"]["users"] == effect["users"] == 6
    assert effect["vanish"]["causes"] == [{"reason": "cap", "detail": "1 in 365 days", "triggers": 6}]
    assert [it["user_id"] for it in effect["vanish"]["examples"]] == ["u-0", "u-1"]
    assert effect["vanish"]["examples"][0]["moment"] == "renewed"
    assert effect["appear"]["triggers"] == effect["change"]["triggers"] == 0


def test_a_new_campaign_makes_its_triggers_appear_and_takes_the_place_of_others(study):
    def edit(content):
        terms = {"offer": "annual_plan", "placement": "in_app_banner", "moments": ["renewed"], "priority": 90}
        content["campaigns"]["first"] = terms

    campaigns = study(edit)["campaigns"]
    assert campaigns["first"]["appear"]["causes"] == [{"reason": "new_campaign", "detail": None, "triggers": 42}]
    displaced = campaigns["family_upgrade"]
    assert displaced["issued"] == {"before": 12, "after": 0}
    assert displaced["vanish"]["causes"] == [{"reason": "outranked", "detail": "first", "triggers": 12}]


def test_a_trigger_that_appears_says_what_the_catalog_before_said(study):
    def edit(content):
        content["campaigns"]["family_upgrade"]["cool_down_hours"] = 24

    appear = study(edit)["campaigns"]["family_upgrade"]["appear"]
    assert appear["causes"][0]["reason"] == "cool_down"
    assert appear["causes"][0]["detail"] is None
    assert appear["examples"][0]["detail"].startswith("until 2026-")


def test_a_removed_campaign_and_a_moment_no_longer_listened_to_are_told_apart(study):
    def edit(content):
        del content["campaigns"]["payment_recovery"]
        content["campaigns"]["save_offer"]["moments"] = ["refunded"]

    campaigns = study(edit)["campaigns"]
    assert campaigns["payment_recovery"]["vanish"]["causes"][0]["reason"] == "removed_campaign"
    assert campaigns["save_offer"]["vanish"]["causes"][0]["reason"] == "not_considered"


def test_another_offer_under_the_same_campaign_is_a_change(study):
    def edit(content):
        content["campaigns"]["save_offer"]["offer"] = "come_back"

    save_offer = study(edit)["campaigns"]["save_offer"]
    assert (save_offer["appear"]["triggers"], save_offer["vanish"]["triggers"]) == (0, 0)
    (cause,) = save_offer["change"]["causes"]
    assert cause["reason"] == "expires_at, offer_id"
    assert cause["detail"] == "11 days later; half_price_for_three_months -> come_back"
    assert save_offer["change"]["users"] == 6


def test_a_trigger_revoked_in_one_replay_alone_is_a_change(study):
    def edit(content):
        content["offers"]["update_payment_method"]["validity_hours"] = 12

    (cause,) = study(edit)["campaigns"]["payment_recovery"]["change"]["causes"]
    assert cause["reason"].split(", ")[0] == "expires_at"


def test_totals_and_placements_are_told_for_both(study):
    told = study(less_often)
    campaigns = told["campaigns"].values()
    for side in ("before", "after"):
        assert told["issued"][side] == sum(effect["issued"][side] for effect in campaigns)
        assert told["issued"][side] == sum(effect["issued"][side] for effect in told["placements"].values())
    assert told["users"] == {"before": 6, "after": 6}
    assert (
        told["placements"]["in_app_banner"]["issued"]["before"]
        > told["placements"]["in_app_banner"]["issued"]["after"]
    )
    assert told["before"]["version"] == load_catalog().version


def test_campaigns_in_which_most_is_not_the_same_come_first(study):
    sizes = [
        sum(effect[kind]["triggers"] for kind in ("appear", "vanish", "change"))
        for effect in study(less_often)["campaigns"].values()
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0


def test_feedback_on_a_trigger_that_is_not_issued_is_told_as_refused(study, events, tmp_path):
    shown = trigger_id("u-1", cause_of("payment", "", "failed"), "payment_recovery")
    given = event("trigger-feedback", "u-1", 260, "feedback", trigger_id=shown, kind="impression")
    lines = [*map(json.loads, events.read_text().splitlines()), given]
    told = study(
        lambda content: content["campaigns"].pop("payment_recovery"), history=write(tmp_path / "told.jsonl", lines)
    )
    assert told["dead_lettered"] == {"before": 0, "after": 1}


def test_people_read_it_in_80_columns_without_colour(run, events, changed):
    words = ("whatif", str(events), "--from", str(DEFAULT_CATALOG), "--to", str(changed(less_often)))
    done = run(*words, env=NARROW)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    first, *rest = done.stdout.splitlines()
    assert first == f"before  {load_catalog().version}  {DEFAULT_CATALOG}"
    assert all(len(line) <= 80 for line in rest[1:])
    told = " ".join(done.stdout.split())
    for text in (
        "63 events, up to",
        "family_upgrade 12 6 0 6 0 6",
        "7 other campaigns: every trigger is the same",
        "6 vanish, for 6 users. Reason in the catalog after: 6 cap (1 in 365 days) e.g. u-0 2026-",
    ):
        assert text in told


def test_the_same_study_gives_the_same_bytes(run, events, changed):
    words = ("whatif", str(events), "--from", str(DEFAULT_CATALOG), "--to", str(changed(less_often)), "--json")
    assert run(*words).stdout == run(*words).stdout


def test_both_replays_are_kept_where_asked_for_and_can_be_shown(run, study, tmp_path):
    study(less_often, "--out", str(tmp_path / "out"))
    for side in ("before", "after"):
        assert (tmp_path / "out" / side / "decisions.jsonl").exists()
        assert run("show", "u-0", "--store", str(tmp_path / "out" / side)).exit_code == 0


def test_no_example_is_told_where_none_is_asked_for(study):
    effect = study(less_often, "--examples", "0")["campaigns"]["family_upgrade"]
    assert effect["vanish"]["examples"] == []


def test_the_clock_goes_on_to_where_it_is_told(study):
    told = study(nothing, "--now", "2026-12-31T00:00:00Z")
    assert told["now"] == "2026-12-31T00:00:00Z"
    assert told["campaigns"]["win_back"]["issued"]["before"] == 12


def test_both_catalogs_are_checked_before_anything_runs(run, events, changed, tmp_path):
    bad = changed(lambda content: content["campaigns"]["win_back"].update(offer="gone"))
    out = tmp_path / "out"
    for pair in (("--from", bad, "--to", DEFAULT_CATALOG), ("--from", DEFAULT_CATALOG, "--to", bad)):
        done = run("whatif", str(events), *map(str, pair), "--out", str(out))
        assert done.exit_code == 2
        assert "campaigns.win_back.offer: expected one of the offers" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("missing", ["--from", "--to"])
def test_both_catalogs_must_be_named(run, events, missing):
    words = {"--from": str(DEFAULT_CATALOG), "--to": str(DEFAULT_CATALOG)}
    del words[missing]
    assert run("whatif", str(events), *(word for pair in words.items() for word in pair)).exit_code == 2


def test_events_that_are_not_there_are_a_usage_error(run, tmp_path):
    catalog = str(DEFAULT_CATALOG)
    done = run("whatif", str(tmp_path / "missing.jsonl"), "--from", catalog, "--to", catalog)
    assert done.exit_code == 2
    assert "expected a file of events, found none that can be read" in done.stderr


def test_a_time_that_is_none_is_a_usage_error(run, events):
    catalog = str(DEFAULT_CATALOG)
    done = run("whatif", str(events), "--from", catalog, "--to", catalog, "--now", "tomorrow")
    assert done.exit_code == 2
    assert "--now: expected an RFC 3339 time with offset" in done.stderr


def test_a_folder_that_cannot_be_written_into_is_a_failure(run, events):
    catalog = str(DEFAULT_CATALOG)
    done = run("whatif", str(events), "--from", catalog, "--to", catalog, "--out", str(events))
    assert done.exit_code == 1
    assert "expected a folder to write into" in done.stderr
