"""The decision against GrowthBook's Python SDK: equal targeting and equal hashing, for one user.

Both have N features or campaigns, each targeted at three attributes, which the user has, and each with a test of
two variants, whose hash bucket is computed. GrowthBook evaluates every feature. Ours decides over every campaign,
each in a placement of its own, so that all of them win. Gates, arbitration, the trigger with its id, and the
record of what was considered are part of our price.
"""

from collections.abc import Callable
from typing import Any

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.decide import Decision, decide
from shared.decisioning.situation import Situation
from shared.domain.account import Account
from shared.domain.events import Profile
from shared.domain.user import User
from tests.bench.decisions import PAYING, RENEWED
from tests.bench.report import Result, progress
from tests.bench.timing import TURNS, cpu_in_turns
from tests.support.builders import NOW

SIZES = (3, 50)
USER = User("user-1", NOW, Account((PAYING,)), Profile(country="SE"))
ATTRIBUTES = {"id": "user-1", "status": "active", "country": "SE", "days_since_first_paid": 90}
"""The same user's attributes, as GrowthBook takes them."""
ARMS = ("a", "b")
OFFER = {"cms_ref": "offers/any", "validity_hours": 48}


def decision(turns: int = TURNS) -> list[Result]:
    """Our decision and GrowthBook's evaluation, for each number of campaigns or features."""
    measured = []
    for size in SIZES:
        progress(f"decision: {size} campaigns and features")
        ours, theirs = cpu_in_turns(deciding(size), evaluating(size), times=max(1000 // size, 20), turns=turns)
        measured.append(Result("decision", f"decide over {size} campaigns", "µs", ours, "GrowthBook", theirs, 1.0))
    return measured


def deciding(size: int) -> Callable[[], Decision]:
    """Our decision over that many campaigns."""
    compiled: Catalog = compile_catalog(catalog(size))
    return lambda: decide(Situation(compiled, USER), [RENEWED])


def evaluating(size: int) -> Callable[[], list[Any]]:
    """GrowthBook's evaluation of that many features. The SDK is set up once, and told of the user each time."""
    from growthbook import GrowthBook  # noqa: PLC0415 - only `make bench` installs it

    sdk = GrowthBook(features=features(size))
    names = [*features(size)]

    def evaluate() -> list[Any]:
        sdk.set_attributes(dict(ATTRIBUTES))
        return [sdk.eval_feature(name) for name in names]

    return evaluate


def features(size: int) -> dict[str, Any]:
    """GrowthBook's features, each with conditions of its own and an experiment."""
    return {
        f"feature_{n}": {
            "defaultValue": None,
            "rules": [
                {
                    "key": f"experiment_{n}",
                    "seed": f"experiment_{n}",
                    "hashAttribute": "id",
                    "hashVersion": 2,
                    "condition": {
                        "status": "active",
                        "country": {"$in": ["DE", "SE", f"X{n}"]},
                        "days_since_first_paid": {"$gte": n},
                    },
                    "variations": [*ARMS],
                    "weights": [0.5, 0.5],
                }
            ],
        }
        for n in range(size)
    }


def catalog(size: int) -> dict[str, Any]:
    """Our campaigns, with the same conditions as clauses and the same experiments."""
    return {
        "placements": {f"place_{n}": {"channel": "in_app"} for n in range(size)},
        "offers": {f"{arm}_{n}": dict(OFFER) for n in range(size) for arm in ARMS},
        "audiences": {f"audience_{n}": {"all": _clauses(n)} for n in range(size)},
        "experiments": {
            f"experiment_{n}": {"variants": [{"id": arm, "weight": 0.5, "offer": f"{arm}_{n}"} for arm in ARMS]}
            for n in range(size)
        },
        "campaigns": {
            f"campaign_{n}": {
                "offer": f"a_{n}",
                "placement": f"place_{n}",
                "moments": ["renewed"],
                "audience": f"audience_{n}",
                "experiment": f"experiment_{n}",
                "priority": n % 100,
            }
            for n in range(size)
        },
    }


def _clauses(n: int) -> list[dict[str, str]]:
    return [
        {"active": "subscription.status == 'active'"},
        {"here": f"profile.country in ['DE', 'SE', 'X{n}']"},
        {"loyal": f"subscription.days_since_first_paid >= {n}"},
    ]
