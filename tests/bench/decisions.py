"""Catalogs and a user for benchmarks of a decision, and a plain evaluation of the same clauses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.decisioning.audiences.audience import activate
from shared.decisioning.audiences.facts import facts_about
from shared.decisioning.catalog import Catalog
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.domain.account import Account
from shared.domain.events import Profile
from shared.domain.moments import Moment, MomentKind
from shared.domain.triggers import Trigger
from shared.domain.user import User
from tests.support.builders import NOW, paying

DAY = timedelta(days=1)
PAYING = paying(4)
"""A subscription in its fourth month, whose current period begins now."""
RENEWED = Moment(MomentKind.RENEWED, "main", NOW, "cause")


def clauses(number: int) -> list[dict[str, str]]:
    """Five clauses that no other campaign has. The user fails the last clause of every second campaign."""
    return [
        {"active": f"subscription.status == 'active' && subscription.plan != 'plan_{number}'"},
        {"renews": f"subscription.auto_renew && subscription.days_in_status > {number % 60}"},
        {"loyal": f"subscription.days_since_first_paid >= {number % 90}"},
        {"here": f"profile.country in ['DE', 'SE', 'X{number}']"},
        {"busy": f"signals.inactivity.count < {number % 2} || subscription.entitled == ({number} % 2 == 1)"},
    ]


LIMITS = {
    "cap": [{"max": 2, "window_days": 30}, {"max": 12, "window_days": 7, "scope": "user"}],
    "cool_down_hours": 24,
    "suppress_on": ["dismissed"],
}


def catalog(campaigns: int, limits: dict[str, Any] = LIMITS) -> dict[str, Any]:
    """A catalog of `campaigns` campaigns for one moment, in ten placements, all with the same limits."""
    return {
        "placements": {f"place_{n}": {"channel": "in_app"} for n in range(10)},
        "offers": {f"offer_{n}": {"cms_ref": "offers/any", "validity_hours": 48} for n in range(campaigns)},
        "audiences": {f"audience_{n}": {"all": clauses(n)} for n in range(campaigns)},
        "campaigns": {
            f"campaign_{n}": {
                "offer": f"offer_{n}",
                "placement": f"place_{n % 10}",
                "moments": ["renewed"],
                "audience": f"audience_{n}",
                "priority": n % 100,
                **limits,
            }
            for n in range(campaigns)
        },
    }


def user() -> User:
    """A user whose document holds the maximum of 48 triggers."""
    offered = tuple(_offered(number) for number in range(48))
    return User("user-1", NOW, Account((PAYING,)), Profile(country="SE"), triggers=offered)


def decision(compiled: Catalog, of: User) -> Decision:
    """One decision, with a new `Situation`."""
    return decide(Situation(compiled, of), [RENEWED])


def plainly(compiled: Catalog, of: User) -> Callable[[], object]:
    """A function that evaluates every clause separately, with precomputed facts."""
    audiences = [one.audience for one in compiled.listening(RENEWED) if one.audience]
    activation = activate(facts_about(of, {name for audience in audiences for name in audience.variables}))
    programs = [clause.program for audience in audiences for clause in audience.clauses]
    return lambda: [program.eval(activation) for program in programs]


def _offered(number: int) -> Trigger:
    at = NOW - (50 - number) * DAY
    about = (f"campaign_{number}", f"offer_{number}", f"place_{number % 10}", "in_app")
    return Trigger(f"{number}", *about, MomentKind.RENEWED, "main", f"{number}", at, at + 2 * DAY)
