"""The facts known about a user now: subscriptions, offers, what is due, money, scores and profile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from infra.inspect import withheld
from infra.inspect.user_page import fate
from infra.inspect.user_tables import offer_state, raised_in_words
from infra.terminal.values import is_set, line
from infra.terminal.wording import of_fraction, of_value
from shared.decisioning.catalog import Catalog
from shared.domain.grants import Grant
from shared.domain.subscription import Verdict
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.queries.current_scores import current_scores
from shared.queries.due import Due, due
from shared.queries.life import Life, LifeKind
from shared.queries.user_view import View, everything
from shared.record.user_record import UserRecord

Facts = Mapping[str, str]
"""Names and values, as text."""


class Offer(NamedTuple):
    """A trigger in the user's document."""

    trigger: Trigger
    state: str
    is_open: bool


class Paid(NamedTuple):
    """A payment or a trial in the ledger."""

    grant: Grant
    amount: str
    fate: str


class FactsNow(NamedTuple):
    """The facts known about a user at an instant."""

    status: str
    entitled: bool
    subscriptions: Mapping[str, Facts]
    """The facts of each subscription by its id, the best first."""
    offers: Sequence[Offer]
    """The triggers that the document keeps, the newest first."""
    due: Sequence[Due]
    next_due_at: datetime | None
    """The instant (UTC) of the clock's next look at the user; None if there is none, or if it is not known."""
    grants: Sequence[Paid]
    waiting: Sequence[Verdict]
    """The refunds, disputes and extensions whose payment is not known."""
    scores: Facts
    experiments: Facts
    profile: Facts


def facts_now(record: UserRecord, life: Life, now: datetime, terms: Terms, catalog: Catalog | None) -> FactsNow:
    """The facts at `now` (UTC); scores and what is due are those of the catalog, if there is one."""
    view = everything(record, now, terms)
    account, _ = record.history.at(now, terms)
    grants = sorted((one for sub in account.subscriptions for one in sub.all_grants), key=lambda one: one.start)
    told = withheld.recorded(entry.body for entry in life.entries if entry.kind is LifeKind.DECISION)
    return FactsNow(
        status=view["status"],
        entitled=view["entitled"],
        subscriptions=_subscriptions(view),
        offers=[_offer(trigger, now, told) for trigger in reversed(record.triggers)],
        due=due(record, catalog, now, terms),
        next_due_at=record.next_due_at,
        waiting=[one for sub in account.subscriptions for one in sub.waiting],
        grants=[Paid(one, _amount(one), ", ".join(fate(one))) for one in grants],
        scores=_scores(record, life, now, terms, catalog) if catalog else {},
        experiments={one["experiment_id"]: _assignment(one) for one in view["assignments"]},
        profile=_profile(view["profile"]),
    )


def _subscriptions(view: View) -> dict[str, Facts]:
    """The facts of the best subscription, which the view itself tells, and of the others."""
    names = [*view]
    best = {name: view[name] for name in names[names.index("subscription_id") : names.index("trial_used") + 1]}
    others = [one for one in view.get("subscriptions", ()) if one["subscription_id"] != view["subscription_id"]]
    return {one["subscription_id"]: _set(one) for one in (best, *others)}


def _set(values: Mapping[str, Any]) -> Facts:
    """The values that are set, as text, without the id of the subscription."""
    return {name: _text(value) for name, value in values.items() if is_set(value) and name != "subscription_id"}


def _text(value: Any) -> str:
    return line({name: _text(one) for name, one in value.items()}) if isinstance(value, dict) else of_value(value)


def _offer(trigger: Trigger, now: datetime, told: withheld.Reasons) -> Offer:
    return Offer(trigger, offer_state(trigger, now, told), trigger.is_open(now) and not trigger.withheld)


def _amount(grant: Grant) -> str:
    return f"{grant.amount:,} {grant.currency or ''}".rstrip() if grant.amount else ""


def _scores(record: UserRecord, life: Life, now: datetime, terms: Terms, catalog: Catalog) -> Facts:
    return {
        f"{score.name} version {score.version}": score.error
        or "; ".join([of_fraction(score.value or 0), *raised_in_words(score)])
        for score in current_scores(record, catalog, now, terms, life)
    }


def _assignment(one: Mapping[str, Any]) -> str:
    propensity = "" if one["propensity"] is None else f", with probability {of_fraction(one['propensity'])}"
    return f"{one['variant']}, since {of_value(one['at'])}{propensity}"


def _profile(profile: Mapping[str, Any]) -> Facts:
    attributes = {f"attributes.{name}": line(value) for name, value in profile["attributes"].items()}
    return {**_set({name: value for name, value in profile.items() if name != "attributes"}), **attributes}
