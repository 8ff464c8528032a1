"""Makes the rows of raw tables by hand, and builds the shipped models of them in memory."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import duckdb

from infra.analytics.warehouse.duckdb_engine import DuckDBEngine
from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.models import Model, read_models
from infra.analytics.warehouse.runner import Built, run
from infra.raw.line import Landed
from shared.contracts.topics import Topic

START = datetime(2026, 1, 1, tzinfo=UTC)
MODELS: Mapping[str, Model] = read_models()
TOPICS = tuple(topic.value for topic in Topic)
Row = tuple[str, Landed]
"""A topic, and a message of it as it landed."""
_numbers = count(1)


def at(days: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=days)


def text(days: float) -> str:
    """The same as the contracts write it."""
    return at(days).isoformat(timespec="microseconds").replace("+00:00", "Z")


def landed(topic: str, data: Any, days: float, id_: str = "", attributes: Mapping[str, str] | None = None) -> Row:
    """A message that was published so many days after the start; data that is no bytes is written as JSON."""
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return topic, Landed(f"{topic}-landing", id_ or str(next(_numbers)), at(days), attributes or {}, content)


def event(topic: str, user: str, days: float, id_: str, published: float | None = None, **fields: Any) -> Row:
    """An event that occurred so many days after the start, published at once or at another time."""
    data = {"event_id": id_, "user_id": user, "occurred_at": text(days), **fields}
    return landed(topic, data, days if published is None else published)


def paid(user: str, days: float, id_: str, amount: Any = 999, currency: str = "EUR", **fields: Any) -> Row:
    """A successful payment for 30 days."""
    period = {"period_start": text(days), "period_end": text(days + 30)}
    given = {"outcome": "succeeded", "plan": "basic", "amount": amount, "currency": currency}
    return event("payment", user, days, id_, **(given | period | fields))


def verdict(user: str, days: float, id_: str, outcome: str, **fields: Any) -> Row:
    """A refund, a dispute or what undoes it."""
    return event("payment", user, days, id_, outcome=outcome, **fields)


def message(topic: str, days: float, id_: str, published: float | None = None, **fields: Any) -> Row:
    """A message of Upbeat, decided so many days after the start."""
    sequence = int(at(days).timestamp() * 1_000_000)
    body = {"schema_version": 1, "message_id": id_, "sequence": sequence, "decided_at": text(days), **fields}
    when = days if published is None else published
    return landed(topic, body, when, attributes={"message_id": id_, "schema_version": "1"})


def change(user: str, days: float, status: str = "active", *, moments: Iterable[Any] = (), **fields: Any) -> Row:
    """A subscription change; `moments` are kinds, or kinds with the days at which they occurred."""
    subscription = fields.pop("subscription_id", "main")
    entitled = status in {"active", "trialing", "grace"}
    given = {"user_status": status, "user_entitled": entitled}
    id_ = f"change-{user}-{subscription}-{days}"
    told = [(kind, days) if isinstance(kind, str) else kind for kind in moments]
    facts = {"status": status, "entitled": entitled, "plan": "basic"} | fields.pop("facts", {})
    return message(
        "subscription-change",
        days,
        id_,
        change_id=id_,
        user_id=user,
        subscription_id=subscription,
        facts=facts,
        moments=[
            {
                "kind": kind,
                "at": text(when),
                "offset": None,
                "cause": f"{kind}-{when}",
                "subscription_id": subscription,
            }
            for kind, when in told
        ],
        **(given | fields),
    )


def candidate(campaign: str = "upgrade", **fields: Any) -> dict[str, Any]:
    """A candidate that won and was issued; `variant` puts it in the experiment `gift`."""
    told = {"campaign_id": campaign, "moment": "renewed", "cause": "c", "subscription_id": "main"}
    given = {"offer_id": "annual", "placement": "banner", "outcome": "issued", "reason": None, "given": True}
    if fields.get("variant"):
        told |= {"experiment_id": "gift", "unit": "user", "bucket_version": 0, "propensity": 0.5}
    return told | given | fields


def held(campaign: str = "upgrade", reason: str = "holdout", **fields: Any) -> dict[str, Any]:
    """A candidate that was not given what was due."""
    return candidate(campaign, outcome="lost", reason=reason, given=False, suppressed=True, **fields)


def decision(user: str, days: float, *candidates: dict[str, Any], catalog: str = "v1", **fields: Any) -> Row:
    """A decision; each candidate gets the trigger USER-DAYS-CAMPAIGN."""
    id_ = f"decision-{user}-{days}"
    told = [{"trigger_id": f"{user}-{days}-{each['campaign_id']}", **each} for each in candidates]
    issued = any(each["outcome"] == "issued" for each in told)
    more = {"decision_id": id_, "catalog_version": catalog, "outcome": "issued" if issued else "withheld"}
    return message("decision", days, id_, user_id=user, candidates=told, cause="c", **(more | fields))


def trigger(user: str, decided: float, kind: str = "issued", days: float | None = None, **fields: Any) -> Row:
    """The trigger of the campaign `upgrade` that was decided then, issued at once, or revoked later."""
    id_ = f"{user}-{decided}-upgrade"
    about = {"trigger_id": id_, "campaign_id": "upgrade", "subscription_id": "main", "catalog_version": "v1"}
    when = decided if days is None else days
    return message("upsell-trigger", when, f"{id_}.{kind}", user_id=user, kind=kind, **(about | fields))


def answered(user: str, decided: float, kind: str, days: float, **fields: Any) -> Row:
    """Feedback on the trigger of the campaign `upgrade` that was decided then."""
    id_ = f"{user}-{decided}-upgrade"
    about = {"trigger_id": id_, "campaign_id": "upgrade", "subscription_id": "main", "catalog_version": "v1"}
    told = {"kind": kind, "occurred_at": text(days), "offer_id": "annual"}
    return message("exposure", days, f"{id_}-{kind}-{days}", user_id=user, **(about | told | fields))


def catalog(days: float = 0, version: str = "v1", **sections: Any) -> Row:
    """A catalog that went in force."""
    body = {"message_id": f"{version}-{days}", "catalog_version": version, "published_at": text(days)}
    return landed("catalog-published", body | {"number": 1, "catalog": sections}, days)


def tick(days: float, data: bytes = b"{}") -> Row:
    """A scheduler's tick, which is how the log of a quiet Upbeat goes on."""
    return landed("lifecycle-clock", data, days)


def letter(of: Row, reason: str = "invalid", days: float | None = None) -> Row:
    """The dead letter of a message."""
    topic, rejected = of
    when = (rejected.publish_time - START).total_seconds() / 86_400 if days is None else days
    id_ = f"dead-{rejected.data.hex()}"
    body = {"message_id": id_, "dead_letter_id": id_, "reason": reason, "detail": "x"}
    return landed("dead-letter", body | {"topic": topic, "pubsub_message_id": rejected.message_id}, when)


class Warehouse:
    """The shipped models over raw rows, in memory or by another engine."""

    def __init__(self, *rows: Row, engine: Engine | None = None) -> None:
        self.engine = engine or DuckDBEngine.of(duckdb.connect())
        for topic in TOPICS:
            self.engine.land(table_of(topic), [])
        self.land(*rows)

    def land(self, *rows: Row) -> None:
        """Add rows to the raw tables."""
        by_topic = defaultdict(list)
        for topic, one in rows:
            by_topic[topic].append(one)
        for topic, messages in by_topic.items():
            self.engine.land(table_of(topic), messages)

    def run(self, *names: str, full_refresh: bool = False) -> dict[str, Built]:
        """Build models with all that they read; all models for no name."""
        built = run(self.engine, MODELS, [f"+{name}" for name in names], full_refresh=full_refresh)
        return {one.name: one for one in built}

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query as tuples."""
        return [tuple(row.values()) for row in self.engine.rows(sql, **parameters)]

    def read(self, name: str, columns: str, where: str = "TRUE", **parameters: Any) -> list[tuple[Any, ...]]:
        """Columns of the rows of a model, of all its partitions."""
        partition = MODELS[name].header.partition
        day = f"{partition} >= DATE '1990-01-01'" if partition else "TRUE"
        return self.rows(f"SELECT {columns} FROM {name} WHERE {day} AND {where}", **parameters)  # noqa: S608

    def table(self, name: str) -> list[str]:
        """All rows of a model as text, sorted; of a FLOAT64 12 digits: the order of a sum decides the rest."""
        found = self.read(name, ", ".join(MODELS[name].header.columns))
        return sorted(str([_plain(value) for value in row]) for row in found)

    def everything(self) -> dict[str, list[str]]:
        """All rows of all models that store rows."""
        return {name: self.table(name) for name, model in MODELS.items() if not model.is_view}

    def close(self) -> None:
        """Forget everything."""
        self.engine.__exit__()


def table_of(topic: str) -> str:
    """The raw table of a topic."""
    return f"raw_{topic.replace('-', '_')}"


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case float():
            return float(f"{value:.12g}")
        case str() if value.startswith("{"):  # BigQuery's emulator keeps what JSON_QUERY gives as text
            return _plain(json.loads(value))
        case dict() | list():
            return json.dumps(_alike(value), sort_keys=True)
        case _:
            return value


def _alike(value: Any) -> Any:
    """A JSON value in which 5 and 5.0 are one number, as they are in JSON."""
    match value:
        case dict():
            return {name: _alike(one) for name, one in value.items()}
        case list():
            return [_alike(one) for one in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
