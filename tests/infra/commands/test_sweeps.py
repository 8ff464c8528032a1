"""`catalog recall` and `catalog sweep` on the store of a replay, and the arguments that make no sense."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.replay.replay import replay
from infra.replay.stores import STORE, read_document
from shared.domain.triggers import Trigger
from shared.record.codec import unpack
from shared.record.user_record import UserRecord
from tests.support.replays import START, payment, signal, trial

OFFER = {"cms_ref": "offers/any", "validity_hours": 24 * 90}
USERS = ("__x__", "anna", "ben")


def catalog(folder: Path, name: str, **changed: Any) -> Path:
    """A catalog file: two campaigns, of which the first has another offer in the variant of an experiment."""
    about = {"offer": "any", "moments": ["activated"], "priority": 1}
    sections = {
        "placements": {"banner": {"channel": "in_app"}, "page": {"channel": "in_app"}},
        "offers": {"any": OFFER, "gift": OFFER},
        "campaigns": {
            "sale": {**about, "placement": "banner"},
            "tips": {**about, "placement": "page", "offer": "gift"},
        },
    }
    for path, value in changed.items():
        section, _, entry = path.partition("__")
        if entry:
            sections[section][entry] = sections[section].get(entry, {}) | value
        else:
            sections[section] = value
    file = folder / f"{name}.json"
    file.write_text(json.dumps(sections))
    return file


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a replay that ended on day 5."""
    return kept(tmp_path, 5)


def kept(tmp_path: Path, ends: float) -> Path:
    """The folder of a replay of active users with both campaigns open, and of one who expires on day 3."""
    lines = [payment(user, 0, event_id=f"p-{user}") for user in USERS]
    lines += [trial("cleo", 0, 3, event_id="t"), signal("cleo", 1, "auto_renew_off")]
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "out"
    replay(events, out, catalog(tmp_path, "before"), START + timedelta(days=ends), keep_store=True)
    return out


def record(store: Path, user: str) -> UserRecord:
    return unpack(read_document(store / STORE, user).blob)


def triggers(store: Path, user: str = "anna") -> dict[str, Trigger]:
    return {one.campaign_id: one for one in record(store, user).triggers}


def told(done: Any) -> dict[str, Any]:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_paused_campaign_is_recalled_from_everybody_who_has_it_open(run, store, tmp_path) -> None:
    paused = catalog(tmp_path, "paused", campaigns__sale={"state": "paused"})
    words = ("catalog", "recall", "sale", "--store", str(store), "--catalog", str(paused))
    first = told(run(*words, "--json"))
    assert (first["published"], first["campaigns"], first["resumed"]) == (len(USERS), ["sale"], False)
    for user in USERS:
        known = triggers(store, user)
        assert (known["sale"].revoke_reason, known["tips"].revoked) == ("state", False)
    second = told(run(*words, "--json"))
    assert (second["published"], second["id"] != first["id"]) == (0, True)
    assert second["catalog_number"] == first["catalog_number"] > 0
    page = run(*words)
    assert page.stdout.endswith("is done: 0 users with open triggers of sale are to be processed again\n")


def test_a_removed_campaign_is_recalled(run, store, tmp_path) -> None:
    tips = json.loads(catalog(tmp_path, "all").read_text())["campaigns"]["tips"]
    gone = catalog(tmp_path, "gone", campaigns={"tips": tips})
    done = told(run("catalog", "recall", "sale", "--store", str(store / STORE), "--catalog", str(gone), "--json"))
    assert done["published"] == len(USERS)
    assert triggers(store)["sale"].revoke_reason == "state"


def test_an_archived_offer_is_recalled_by_its_name(run, store, tmp_path) -> None:
    archived = catalog(tmp_path, "archived", offers__gift={"status": "archived"})
    done = told(
        run("catalog", "recall", "--offer", "gift", "--store", str(store), "--catalog", str(archived), "--json")
    )
    assert (done["published"], done["campaigns"]) == (len(USERS), ["tips"])
    assert (triggers(store)["tips"].revoke_reason, triggers(store)["sale"].revoked) == ("state", False)


def test_an_offer_that_a_live_campaign_made_before_is_recalled_with_it(run, store, tmp_path) -> None:
    other = catalog(tmp_path, "other", campaigns__tips={"offer": "any"}, offers__gift={"status": "archived"})
    on_store = ("--store", str(store), "--catalog", str(other))
    refused = run("catalog", "recall", "--offer", "gift", *on_store)
    assert refused.exit_code == 2
    assert "name the campaigns that had it" in refused.stderr
    done = told(run("catalog", "recall", "tips", "--offer", "gift", *on_store, "--json"))
    assert done["published"] == len(USERS)
    assert triggers(store)["tips"].revoke_reason == "state"


def test_the_kill_switch_is_carried_through(run, store, tmp_path) -> None:
    killed = catalog(tmp_path, "killed", kill_switch=True)
    done = told(run("catalog", "recall", "--all", "--store", str(store), "--catalog", str(killed), "--json"))
    assert (done["published"], done["everything"]) == (len(USERS), True)
    for user in USERS:
        assert {one.revoke_reason for one in triggers(store, user).values()} == {"kill_switch"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("sale",), "the campaign sale is live"),
        (("sale", "tips"), "the campaign sale is live, the campaign tips is live"),
        (("--offer", "any"), "the offer any is approved"),
        (("--all",), "the kill switch is off"),
    ],
)
def test_what_is_still_offered_is_recalled_only_by_force(run, store, tmp_path, words, why) -> None:
    same = ("--store", str(store), "--catalog", str(catalog(tmp_path, "before")))
    refused = run("catalog", "recall", *words, *same)
    assert refused.exit_code == 2
    assert f"found that {why}: the triggers would stay open" in refused.stderr
    assert told(run("catalog", "recall", *words, *same, "--force", "--json"))["published"] == len(USERS)
    assert not any(one.revoked for one in triggers(store).values())


def test_a_sweep_wakes_users_for_a_milestone_that_is_new(run, store, tmp_path) -> None:
    """Cleo expired on day 3, when the catalog had no milestone: nothing was due for her any more."""
    assert record(store, "cleo").next_due_at is None
    milestone = {"offer": "any", "placement": "banner", "moments": ["lapsed@30"], "priority": 1}
    new = catalog(tmp_path, "new", milestones={"lapsed": [30]}, campaigns__back=milestone)
    words = ("catalog", "sweep", "--store", str(store), "--catalog", str(new), "--json")
    assert told(run(*words))["published"] == len(USERS) + 1
    assert record(store, "cleo").next_due_at == START + timedelta(days=33)
    before = {user: read_document(store / STORE, user) for user in (*USERS, "cleo")}
    assert told(run(*words))["published"] == len(USERS) + 1
    assert {user: read_document(store / STORE, user) for user in before} == before


@pytest.mark.parametrize(("ends", "offered"), [(6.9, ["back"]), (7.1, [])])
def test_a_milestone_that_was_reached_too_long_ago_is_stale(run, tmp_path, ends, offered) -> None:
    """The milestone was on day 4, and a moment is fresh for 3 days."""
    store = kept(tmp_path, ends)
    milestone = {"offer": "any", "placement": "banner", "moments": ["lapsed@1"], "priority": 1}
    new = catalog(tmp_path, "new", milestones={"lapsed": [1]}, campaigns__back=milestone)
    words = ("catalog", "sweep", "--store", str(store), "--catalog", str(new), "--json")
    for _ in range(2):
        assert told(run(*words))["published"] == len(USERS) + 1
        assert [one.campaign_id for one in record(store, "cleo").triggers] == offered


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "expected campaigns, --offer or --all, found none"),
        (("sale", "--all"), "found --all beside another"),
        (("--offer", "any", "--all"), "found --all beside another"),
        (tuple(f"c{number}" for number in range(31)), "expected at most 30 campaigns, found 31"),
        (("sale", "--store", "here"), "expected --store and --catalog together"),
        (("sale", "--catalog", "here"), "expected --store and --catalog together"),
        (("sale", "--store", "here", "--project", "p"), "expected --store or --project, found both"),
        (("sale", "--store", "here", "--catalog", "here"), "expected the store of a replay"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(run, words, why) -> None:
    refused = run("catalog", "recall", *words)
    assert refused.exit_code == 2
    assert why in refused.stderr


@pytest.mark.parametrize("command", [("recall", "sale"), ("sweep",)])
def test_emulators_that_are_not_running_are_a_failure(run, command) -> None:
    done = run("catalog", *command)
    assert done.exit_code == 1
    assert "the emulators are not running" in done.stderr


def test_a_file_that_is_no_store_is_a_failure(run, tmp_path) -> None:
    file = tmp_path / "words.sqlite"
    file.write_text("words")
    words = ("--store", str(file), "--catalog", str(catalog(tmp_path, "any")))
    done = run("catalog", "sweep", *words)
    assert done.exit_code == 1
    assert "expected the SQLite file of a store" in done.stderr


@pytest.mark.parametrize("pace", ["0", "-1", "10001", "fast"])
def test_a_pace_is_a_number_within_bounds(run, pace) -> None:
    assert run("catalog", "sweep", "--per-second", pace).exit_code == 2
