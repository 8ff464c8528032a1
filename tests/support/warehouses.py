"""Small models and messages for tests of the warehouse."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.analytics.warehouse.models import Model, read_models
from infra.analytics.warehouse.runner import run
from infra.raw.line import Landed

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAGED = """\
-- description: Payments, each once.
-- materialized: incremental
-- partition: publish_date
-- lookback: 3
-- unique: [message_id]
-- require_partition_filter: true
-- tests: {not_null: [user_id]}
-- columns:
--   message_id: The message.
--   user_id: Who paid.
--   occurred_at: When (UTC).
--   amount: Minor units.
--   publish_date: The day of publication.
SELECT
  message_id,
  JSON_VALUE(message, '$.user_id') AS user_id,
  SAFE_CAST(JSON_VALUE(message, '$.occurred_at') AS TIMESTAMP) AS occurred_at,
  SAFE_CAST(JSON_VALUE(message, '$.amount') AS INT64) AS amount,
  DATE(publish_time) AS publish_date
FROM (
  SELECT message_id, publish_time, SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data)) AS message
  FROM raw_payment
  WHERE publish_time >= TIMESTAMP(@since)
)
WHERE JSON_VALUE(message, '$.occurred_at') IS NOT NULL
"""
DAILY = """\
-- description: Payments by the day on which they occurred.
-- materialized: incremental
-- partition: day
-- lookback: 2
-- unique: [day]
-- columns:
--   day: The day.
--   payments: How many.
--   amount: Their sum.
SELECT DATE(occurred_at) AS day, COUNT(*) AS payments, SUM(amount) AS amount
FROM stg_payment
WHERE publish_date >= @since
GROUP BY day
"""
SEEN = """\
-- description: The payments as a view.
-- materialized: view
-- columns:
--   day: The day.
--   amount: The amount.
SELECT day, amount FROM daily
"""
TOTAL = """\
-- description: All payments.
-- materialized: table
-- columns:
--   amount: The sum.
--   days: Days with a payment.
SELECT SUM(amount) AS amount, COUNT(*) AS days FROM seen
"""
FILES = {"stg_payment": STAGED, "daily": DAILY, "seen": SEEN, "total": TOTAL}


def models(folder: Path, **files: str) -> dict[str, Model]:
    """The models above, with these files added or in their place."""
    for name, text in {**FILES, **files}.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    return read_models(folder)


def payment(number: int, published: float, occurred: float | None = None, amount: int = 5) -> Landed:
    """A message published so many days after the start; it occurred then if no other day is given."""
    at = START + timedelta(days=published if occurred is None else occurred)
    facts = {"user_id": f"u-{number}", "occurred_at": at.isoformat(), "amount": amount}
    data = json.dumps(facts).encode()
    return Landed("landing", str(number), START + timedelta(days=published), {"a": "b"}, data)


def built(engine, models, *select, **options):
    """What a run did with each model: the action, and the days after the start that changed."""
    done = run(engine, models, select, **options)
    return {each.name: (each.action, [_days(day) for day in each.days]) for each in done}


def _days(day):
    return None if day is None else (day - START.date()).days


UNCHANGED = dict.fromkeys(FILES, ("unchanged", []))
