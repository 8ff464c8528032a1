"""Files of decisioning cases: a mistake in one is named, and an expectation that does not hold is found."""

import re
from pathlib import Path
from shutil import copytree
from typing import Any

import orjson
import pytest

from tests.support.builders import NOW, catalog, trigger
from tests.support.case_files import BadCase
from tests.support.decisioning_cases import EXPECTED, FOLDER, read
from tests.support.decisioning_runs import CaseFails, check, check_done, check_places

EARLY, LATE = "2026-03-13T09:00:00Z", "2026-03-20T09:00:00Z"


def changed(name: str, folder: Path, **changes: Any) -> None:
    """Copy a case, with other expectations."""
    path = copytree(FOLDER / name, folder / name) / EXPECTED
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": {"u1": {"isued": []}}}, "users.u1.isued: Extra inputs are not permitted"),
        ({"now": "2026-03-02"}, "now: Input should be a valid datetime"),
        ({"users": {"u1": {"issued": ["annual_upgrade"]}}}, "expected triggers as campaign@MM-DD, found annual"),
        ({"users": {"u1": {"never": ["annual"]}}}, "expected campaigns of its catalog, found annual"),
        ({"users": {"u2": {}}}, "expected events of u2, found those of u1"),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    changed("01a-annual-to-annual", tmp_path, **changes)
    with pytest.raises(BadCase, match=re.escape(message)):
        read("01a-annual-to-annual", tmp_path)


@pytest.mark.parametrize(
    ("right", "found"),
    [
        ({"issued": ["k1@03-12"]}, "issued: expected k1@03-12, found k1@03-12, k1@03-19 (replayed)"),
        ({"must": ["k1@03-13"]}, "issued: expected k1@03-13 among them, found k1@03-12, k1@03-19 (replayed)"),
        ({"revoked": {}}, "revoked: expected none, found k1@03-12 (replayed)"),
        ({"revoked": {"k1@03-12": ["plan"]}}, "revoked k1@03-12: expected plan, found moment (replayed)"),
        ({"reasons": {"k1": ["cap"]}}, "reason of k1: expected cap, found none (replayed)"),
        ({"standing": {"k1": 2}}, "k1: expected 2 that stand, found 1 (replayed, in order, shuffled by 1"),
        ({"never": ["k1"]}, "expected no trigger of k1, found one (replayed, in order, shuffled by 1"),
        ({"not_open": ["k1"]}, "expected no open trigger of k1, found one (replayed, in order, shuffled by 1"),
        ({"not_before": EARLY}, "k1@03-12: expected not before 2026-03-13 09:00:00+00:00, found 2026-03-12"),
        ({"expires_by": LATE}, "k1@03-19: expected to expire by 2026-03-20 09:00:00+00:00, found 2026-03-21"),
    ],
)
def test_every_expectation_of_a_user_is_compared(right: dict[str, Any], found: str, tmp_path: Path) -> None:
    users = {"ext": {}, "ext2": right, "short": {}}
    changed("14a-trial-extended", tmp_path, now="2026-03-20T00:00:00Z", users=users)
    with pytest.raises(CaseFails, match="^" + re.escape(f"ext2: {found}")):
        check(read("14a-trial-extended", tmp_path), tmp_path / "out")


def test_more_on_a_channel_than_is_right_is_found(tmp_path: Path) -> None:
    changed("10-global-frequency", tmp_path, at_most=[{"channel": "email", "max": 1, "days": 7}])
    with pytest.raises(CaseFails, match="u: email: expected at most 1 in 7 days, found more by 2026-03-01"):
        check(read("10-global-frequency", tmp_path), tmp_path / "out")


@pytest.mark.parametrize(
    ("alike", "found"),
    [
        ({"campaigns": ["campaign_a"]}, "expected the same of campaign_a for each variant, found"),
        ({"variants": ["treat", "none"]}, "variants: expected none, treat, found control, treat"),
    ],
)
def test_variants_that_are_not_alike_are_found(alike: dict[str, Any], found: str, tmp_path: Path) -> None:
    given = orjson.loads((FOLDER / "05a-null-variant-and-cap" / EXPECTED).read_bytes())["alike"]
    changed("05a-null-variant-and-cap", tmp_path, alike=given | alike)
    with pytest.raises(CaseFails, match=found):
        check(read("05a-null-variant-and-cap", tmp_path), tmp_path / "out")


def test_a_catalog_that_is_refused_fails_the_case(tmp_path: Path) -> None:
    changed("03a-campaign-end", tmp_path)
    catalog = tmp_path / "03a-campaign-end" / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("offer: bf", "offer: fb"))
    with pytest.raises(CaseFails, match=r"campaigns\.black_friday\.offer: expected one of the offers"):
        check(read("03a-campaign-end", tmp_path), tmp_path / "out")


def test_a_placement_with_too_many_open_is_found() -> None:
    two = (trigger(trigger_id="1"), trigger("other", trigger_id="2"))
    check_places(two[:1], catalog(), NOW)
    with pytest.raises(CaseFails, match="expected at most 1 open, found 2"):
        check_places(two, catalog(), NOW)


def test_a_trigger_that_is_done_and_revoked_is_found() -> None:
    check_done([trigger(trigger_id="1").revoke("moment")], {"2"})
    with pytest.raises(CaseFails, match="expected no trigger to be revoked that is done, found 1"):
        check_done([trigger(trigger_id="1").revoke("moment")], {"1"})
