import json

import pytest
import yaml

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from tests.infra.commands.pages import NARROW


@pytest.fixture
def changed(tmp_path):
    """The default catalog with another cap, another audience and a new campaign."""
    content = yaml.safe_load(DEFAULT_CATALOG.read_text())
    content["campaigns"]["win_back"]["cap"]["max"] = 1
    content["campaigns"]["thanks"] = {
        "offer": "annual_plan",
        "placement": "in_app_banner",
        "moments": ["renewed"],
        "priority": 55,
    }
    content["milestones"]["lapsed"] = [7, 30, 60]
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def words(text):
    return " ".join(text.split())


def test_a_catalog_is_shown_by_placement_in_the_order_in_which_campaigns_win(run):
    done = run("catalog", "show", str(DEFAULT_CATALOG))
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Version {load_catalog().version}\n")
    told = [line for line in done.stdout.splitlines() if line.startswith(("In ", "  1. ", "  2. ", "  3. "))]
    assert [line.strip() for line in told][:4] == [
        "In in_app_banner (channel in_app)",
        "1. student_plan",
        "2. annual_upgrade",
        "3. family_upgrade",
    ]


def test_a_campaign_is_shown_with_all_that_it_rests_on(run):
    page = words(run("catalog", "show", str(DEFAULT_CATALOG)).stdout)
    _, _, campaign = page.partition("1. save_offer ")
    assert campaign.startswith(
        "offer half_price_for_three_months"
        " cms_ref offers/half-price-for-three-months, validity_hours 72, price_ref discount_50_3m"
        " moments auto_renew.off priority 80 audience leaving_payers all of"
        " entitled subscription.entitled has_paid subscription.first_paid_at != null"
        " by_choice subscription.auto_renew_reason != 'billing'"
    )
    assert page.endswith("milestones trial.ending 3, 1 lapsed 7, 30")


def test_a_catalog_fits_80_columns_without_colour(run):
    done = run("catalog", "show", str(DEFAULT_CATALOG), env=NARROW)
    assert "\x1b" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_in_a_pipe_a_catalog_is_neither_wrapped_nor_padded(run, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = run("catalog", "show", str(DEFAULT_CATALOG)).stdout.splitlines()
    longest = "subscriptions.filter(s, s.entitled).size() >= 2 || subscription.recent_payments >= 3"
    assert any(line.endswith(longest) for line in lines)
    assert all(line == line.rstrip() for line in lines)


def test_what_no_campaign_uses_is_shown_too(run, tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text("{placements: {banner: {channel: in_app}}, offers: {lonely: {cms_ref: x, validity_hours: 5}}}")
    page = words(run("catalog", "show", str(path)).stdout)
    assert "In banner (channel in_app)" in page
    assert page.endswith("offers lonely cms_ref x, validity_hours 5")


def test_as_json_a_catalog_is_its_content_with_version_and_order(run):
    told = json.loads(run("catalog", "show", str(DEFAULT_CATALOG), "--json").stdout)
    assert (told["file"], told["version"]) == (str(DEFAULT_CATALOG), load_catalog().version)
    assert told["order"]["cancel_flow"] == ["save_offer", "pause_instead_of_cancel"]
    assert told["campaigns"]["trial_ending"]["moments"] == ["trial.ending"]


def test_a_diff_names_both_versions_every_change_and_what_follows(run, changed):
    done = run("catalog", "diff", str(DEFAULT_CATALOG), str(changed), env=NARROW)
    assert done.exit_code == 0
    told = words(done.stdout)
    for text in (
        f"before {load_catalog().version}",
        f"after {load_catalog(changed).version}",
        "campaigns + thanks offer annual_plan placement in_app_banner moments renewed priority 55",
        "~ win_back cap[0].max 4 -> 1",
        "~ lapsed: 7, 30 -> 7, 30, 60",
        "win_back is affected by milestones.lapsed.",
        "In in_app_banner, thanks now wins over annual_upgrade and family_upgrade.",
    ):
        assert text in told
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if str(changed) not in line)


def test_the_other_way_round_what_was_added_is_removed(run, changed):
    told = words(run("catalog", "diff", str(changed), str(DEFAULT_CATALOG)).stdout)
    assert "- thanks offer annual_plan" in told
    assert "~ win_back cap[0].max 1 -> 4" in told


def test_a_diff_exits_with_1_only_where_asked_to_and_where_they_differ(run, changed):
    same, other = str(DEFAULT_CATALOG), str(changed)
    assert run("catalog", "diff", same, other, "--exit-code").exit_code == 1
    assert run("catalog", "diff", same, other, "--exit-code", "--json").exit_code == 1
    assert run("catalog", "diff", same, same, "--exit-code").exit_code == 0


def test_two_of_one_version_are_said_to_be_the_same(run):
    done = run("catalog", "diff", str(DEFAULT_CATALOG), str(DEFAULT_CATALOG))
    assert done.stdout.endswith("The catalogs are the same.\n")


def test_a_clause_that_looks_like_markup_is_told_as_it_is(run, tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text("audiences: {here: {all: [{near: 'subscription.plan in [profile.country]'}]}}")
    for words in (("show", str(path)), ("diff", str(DEFAULT_CATALOG), str(path))):
        assert "subscription.plan in [profile.country]" in run("catalog", *words).stdout


def test_as_json_a_diff_tells_sections_ids_paths_and_values(run, changed):
    told = json.loads(run("catalog", "diff", str(DEFAULT_CATALOG), str(changed), "--json").stdout)
    assert told["differ"] is True
    assert told["after"] == {"file": str(changed), "version": load_catalog(changed).version}
    assert {(it["section"], it["id"], it["kind"]) for it in told["entries"]} == {
        ("campaigns", "thanks", "added"),
        ("campaigns", "win_back", "changed"),
        ("milestones", "lapsed", "changed"),
    }
    win_back = next(it for it in told["entries"] if it["id"] == "win_back")
    assert win_back["fields"] == [{"path": "cap[0].max", "before": 4, "after": 1}]
    assert told["affected"] == [{"campaign_id": "win_back", "by": ["milestones.lapsed"]}]
    assert told["reordered"][0]["placement"] == "in_app_banner"


@pytest.mark.parametrize("command", [("show", "{bad}"), ("diff", "{bad}", "{good}"), ("diff", "{good}", "{bad}")])
def test_an_invalid_catalog_is_a_usage_error_that_names_every_problem(run, tmp_path, command):
    bad = tmp_path / "bad.yaml"
    bad.write_text("campaigns: {one: {offer: gone, placement: nowhere, moments: [renewed], priority: 1}}")
    done = run("catalog", *(word.format(bad=bad, good=DEFAULT_CATALOG) for word in command))
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"error: {bad}: invalid catalog" in done.stderr
    assert "campaigns.one.offer: expected one of the offers" in done.stderr
    assert "campaigns.one.placement: expected one of the placements" in done.stderr


def test_a_catalog_that_is_not_there_cannot_be_compared(run, tmp_path):
    done = run("catalog", "diff", str(DEFAULT_CATALOG), str(tmp_path / "missing.yaml"))
    assert done.exit_code == 2
    assert "expected a catalog, found none that can be read" in done.stderr
