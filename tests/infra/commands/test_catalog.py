import json

import pytest

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.terminal.invocation import again

WRONG = """
placements: {banner: {channel: in_app}}
campaigns:
  one: {offer: gone, placement: banner, moments: [renewed], priority: 101}
  two: {offer: gone, placement: baner, moments: [renewed], priority: 1}
"""


@pytest.fixture
def wrong(tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text(WRONG)
    return path


def test_a_valid_catalog_is_told_by_its_version_and_what_is_in_it(run):
    version = load_catalog().version
    done = run("catalog", "lint", str(DEFAULT_CATALOG))
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{DEFAULT_CATALOG} is valid: version {version}, 8 campaigns, 9 offers,")
    told = json.loads(run("catalog", "lint", str(DEFAULT_CATALOG), "--json").stdout)
    assert (told["valid"], told["version"], told["campaigns"]) == (True, version, 8)


def test_every_problem_is_named_with_its_place_what_was_expected_and_what_was_found(run, wrong):
    done = run("catalog", "lint", str(wrong))
    assert done.exit_code == 1
    first, *others = done.stdout.splitlines()
    assert first.startswith("campaigns.one.priority: expected")
    assert first.endswith("found 101")
    assert others == [
        (
            'campaigns.one.offer: expected one of the offers, of which there are none, found "gone"'
            " (also in campaigns.two.offer)"
        ),
        'campaigns.two.placement: expected one of the placements (banner?), found "baner"',
    ]
    told = json.loads(run("catalog", "lint", str(wrong), "--json").stdout)
    assert told == {"file": str(wrong), "valid": False, "problems": [first, *others]}


def test_a_catalog_with_a_problem_is_not_published(run, wrong):
    done = run("catalog", "publish", str(wrong))
    assert done.exit_code == 2
    assert f"error: {wrong}: invalid catalog:" in done.stderr
    assert "campaigns.two.placement: expected one of the placements (banner?)" in done.stderr


@pytest.mark.parametrize("command", ["lint", "publish"])
def test_a_catalog_that_is_not_there_is_a_usage_error(run, tmp_path, command):
    done = run("catalog", command, str(tmp_path / "missing.yaml"))
    assert done.exit_code == 2
    assert "expected a catalog, found none that can be read" in done.stderr


def test_nothing_is_published_to_emulators_that_are_not_running(run):
    done = run("catalog", "publish", str(DEFAULT_CATALOG))
    assert done.exit_code == 1
    assert f"start them in another terminal with: {again()} up" in done.stderr
