"""Adds messages to the raw tables of BigQuery where Pub/Sub does not do it: each once."""

from google.cloud.bigquery import LoadJobConfig, SchemaField

COLUMNS_SQL = "subscription_name STRING, message_id STRING, publish_time TIMESTAMP, attributes JSON, data BYTES"
ASIDE_SQL = COLUMNS_SQL.replace("BYTES", "STRING")
"""The columns of a table for one load: `data` is base64 there, since the emulator would keep it so in BYTES."""
LOAD = LoadJobConfig(
    schema=[SchemaField(name, type_) for name, type_ in map(str.split, ASIDE_SQL.split(", "))],
    write_disposition="WRITE_APPEND",
    source_format="NEWLINE_DELIMITED_JSON",
)
SAME = " AND ".join(
    [
        *(f"old.{name} = new.{name}" for name in ("subscription_name", "message_id", "publish_time")),
        "old.data = FROM_BASE64(new.data) AND TO_JSON_STRING(old.attributes) = TO_JSON_STRING(new.attributes)",
    ]
)
MERGE = f"""
INSERT INTO {{there}} (subscription_name, message_id, publish_time, attributes, data)
SELECT subscription_name, message_id, publish_time, attributes, FROM_BASE64(data) FROM {{aside}} AS new
WHERE NOT EXISTS (
  SELECT 1 FROM {{there}} AS old WHERE old.publish_time >= TIMESTAMP '1990-01-01 00:00:00+00' AND {SAME}
)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY subscription_name, message_id, publish_time, data, TO_JSON_STRING(attributes) ORDER BY message_id
) = 1
"""
"""Adds what no column tells that the table has."""
