"""Comparison of what a case's users were told with what is right: one sentence for each difference."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tests.support.decisioning_cases import Alike, AtMost, Expected, UserExpected

Body = Mapping[str, Any]


class Told(NamedTuple):
    """The messages about one user, each once and in order."""

    triggers: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


def wrong_in_order(expected: Expected, told: Mapping[str, Told]) -> Iterator[str]:
    """The differences in what is right only in the order of the events, since a decision is never unmade."""
    for user, right in expected.users.items():
        differences = (*_issued(right, told[user]), *_revoked(right, told[user]), *_reasons(right, told[user]))
        yield from (f"{user}: {difference}" for difference in differences)


def wrong_in_any_order(expected: Expected, told: Mapping[str, Told]) -> Iterator[str]:
    """The differences in what is right in any order of delivery."""
    for user, right in expected.users.items():
        issued, revoked = _split(told[user])
        differences = [*_bounds(right, issued), *_kept(right, issued, revoked, expected.now)]
        differences += [sentence for limit in expected.at_most for sentence in _too_many(limit, issued)]
        yield from (f"{user}: {difference}" for difference in differences)
    if expected.alike:
        yield from _unlike(expected.alike, told)


def _split(told: Told) -> tuple[list[Body], dict[str, Body]]:
    """The triggers issued, and the revocations by trigger."""
    issued: list[Body] = [body for body in told.triggers if body["kind"] == "issued"]
    return issued, {body["trigger_id"]: body for body in told.triggers if body["kind"] == "revoked"}


def _name(body: Body) -> str:
    return f"{body['campaign_id']}@{body['decided_at'][5:10]}"


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"


def _issued(right: UserExpected, told: Told) -> Iterator[str]:
    found = [_name(body) for body in _split(told)[0]]
    if right.issued is not None and list(right.issued) != found:
        yield f"issued: expected {_listed(right.issued)}, found {_listed(found)}"
    if missing := [name for name in right.must if name not in found]:
        yield f"issued: expected {_listed(missing)} among them, found {_listed(found)}"


def _revoked(right: UserExpected, told: Told) -> Iterator[str]:
    issued, revoked = _split(told)
    found = {_name(body): revoked[body["trigger_id"]] for body in issued if body["trigger_id"] in revoked}
    if right.revoked is None:
        return
    if found.keys() != right.revoked.keys():
        yield f"revoked: expected {_listed(right.revoked)}, found {_listed(found)}"
    for name in found.keys() & right.revoked.keys():
        if (reason := found[name]["revoke_reason"]) not in right.revoked[name]:
            yield f"revoked {name}: expected {' or '.join(sorted(right.revoked[name]))}, found {reason}"


def _reasons(right: UserExpected, told: Told) -> Iterator[str]:
    candidates = [one for body in told.decisions for one in body["candidates"] if one["outcome"] == "lost"]
    for campaign, reasons in right.reasons.items():
        found = {one["reason"] for one in candidates if one["campaign_id"] == campaign}
        if not found or found - reasons:
            yield f"reason of {campaign}: expected {' or '.join(sorted(reasons))}, found {_listed(sorted(found))}"


def _bounds(right: UserExpected, issued: list[Body]) -> Iterator[str]:
    for body in issued:
        decided_at, expires_at = (datetime.fromisoformat(body[name]) for name in ("decided_at", "expires_at"))
        if right.not_before and decided_at < right.not_before:
            yield f"{_name(body)}: expected not before {right.not_before}, found {decided_at}"
        if right.expires_by and expires_at > right.expires_by:
            yield f"{_name(body)}: expected to expire by {right.expires_by}, found {expires_at}"


def _kept(right: UserExpected, issued: list[Body], revoked: Mapping[str, Body], now: datetime) -> Iterator[str]:
    """The campaigns that issued what they never may, and those with too many or too few that stand or are open."""
    if wrong := right.never & {body["campaign_id"] for body in issued}:
        yield f"expected no trigger of {_listed(sorted(wrong))}, found one"
    standing = [body for body in issued if body["trigger_id"] not in revoked]
    numbers = Counter(body["campaign_id"] for body in standing)
    for campaign, number in right.standing.items():
        if numbers[campaign] != number:
            yield f"{campaign}: expected {number} that stand, found {numbers[campaign]}"
    is_open = {one["campaign_id"] for one in standing if datetime.fromisoformat(one["expires_at"]) > now}
    if wrong := right.not_open & is_open:
        yield f"expected no open trigger of {_listed(sorted(wrong))}, found one"


def _too_many(limit: AtMost, issued: list[Body]) -> Iterator[str]:
    times = sorted(datetime.fromisoformat(one["decided_at"]) for one in issued if one["channel"] == limit.channel)
    for later, earlier in zip(times[limit.max :], times, strict=False):
        if later - earlier < timedelta(days=limit.days):
            yield f"{limit.channel}: expected at most {limit.max} in {limit.days} days, found more by {later}"


def _unlike(alike: Alike, told: Mapping[str, Told]) -> Iterator[str]:
    """The differences between users of different variants in what their variant must not change."""
    offered, variants = {}, set()
    for user in sorted(alike.users):
        issued = (body for body in told[user].triggers if body["campaign_id"] in alike.campaigns)
        offered[user] = sorted((body["kind"], _name(body), body["decided_at"]) for body in issued)
        candidates = [one for body in told[user].decisions for one in body["candidates"]]
        variants |= {one["variant"] for one in candidates if one.get("experiment_id") == alike.experiment}
    if variants != alike.variants:
        yield f"variants: expected {_listed(sorted(alike.variants))}, found {_listed(sorted(map(str, variants)))}"
    if any(each != next(iter(offered.values())) for each in offered.values()):
        yield f"expected the same of {_listed(sorted(alike.campaigns))} for each variant, found {offered}"
