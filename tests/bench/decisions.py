"""Benchmarks of a decision, against a plain evaluation of the same clauses, and of loading a catalog."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.decisioning.audiences.audience import activate
from shared.decisioning.audiences.facts import facts_about
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.domain.account import Account
from shared.domain.events import Profile
from shared.domain.moments import Moment, MomentKind
from shared.domain.triggers import Trigger
from shared.domain.user import User
from tests.bench.timing import cpu_of_each
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


def deciding() -> None:
    """Print the CPU time of a decision over 50 campaigns, of its 250 clauses, and of loading a catalog of 100."""
    free, limited, somebody = compile_catalog(catalog(50, {})), compile_catalog(catalog(50)), user()
    theirs, ours, with_limits = cpu_of_each(
        plainly(free, somebody),
        lambda: decision(free, somebody),
        lambda: decision(limited, somebody),
        times=20,
    )
    sys.stdout.write("a decision over 50 campaigns of 5 clauses : its 250 clauses evaluated one by one\n")
    for what, spent in (("clauses alone", ours), ("with caps, cool-downs and feedback rules", with_limits)):
        sys.stdout.write(f"  {what}: {spent:.0f} µs : {theirs:.0f} µs, {spent / theirs:.2f}\n")
    hundred = catalog(100)
    (loaded,) = cpu_of_each(lambda: compile_catalog(hundred), times=1)
    sys.stdout.write(f"a catalog of 100 campaigns of 5 clauses: {loaded / 1000:.0f} ms to load\n")


def _offered(number: int) -> Trigger:
    at = NOW - (50 - number) * DAY
    about = (f"campaign_{number}", f"offer_{number}", f"place_{number % 10}", "in_app")
    return Trigger(f"{number}", *about, MomentKind.RENEWED, "main", f"{number}", at, at + 2 * DAY)


if __name__ == "__main__":
    deciding()
