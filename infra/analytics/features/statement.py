"""The export as one BigQuery script, in which BigQuery itself writes to Bigtable (`EXPORT DATA`).

https://cloud.google.com/bigquery/docs/export-to-bigtable: it needs BigQuery's edition Enterprise or Enterprise
Plus, and an app profile that routes to one cluster, near the dataset, at low priority. The script writes the rows
that Google's client would write. It deletes nothing: what disappeared stays in `features_exported`, and the next
export by the client deletes it. Where other features are exported than before, the client has to do it once: the
script fails, since `features_exported` does not have them.
"""

import re

from infra.analytics.features.changes import AS_OF, EXPORTED, MODEL, USER_ID, Queries
from infra.errors import UsageError
from shared.adapters.gcp.feature_rows import BY, FAMILY, HASH_DIGITS, MARK, MARKS

PROFILE = "export"
"""The app profile of Terraform's instance."""


def export_script(queries: Queries, features: tuple[str, ...], table: str) -> str:
    """The script for a table, `projects/PROJECT/instances/INSTANCE/tables/TABLE`. Raises `UsageError`."""
    if not re.fullmatch(r"projects/[\w.:-]+/instances/[\w-]+/tables/[\w.-]+", table):
        expected = "projects/PROJECT/instances/INSTANCE/tables/TABLE"
        raise UsageError(f"--table: expected {expected}, found {table!r}")
    uri = f"https://bigtable.googleapis.com/{table.replace('/tables/', f'/appProfiles/{PROFILE}/tables/')}"
    return f"""\
-- Run it with the dataset of {MODEL} as the default dataset.
CREATE TABLE IF NOT EXISTS {EXPORTED} AS SELECT {USER_ID}, {AS_OF}, {", ".join(features)} FROM {MODEL} WHERE FALSE;

EXPORT DATA OPTIONS (
  uri = '{uri}',
  format = 'CLOUD_BIGTABLE',
  overwrite = TRUE
) AS
{rows_of(queries.changed, features)};

CREATE OR REPLACE TABLE {EXPORTED} AS
{queries.now_exported}
UNION ALL
SELECT old.{USER_ID}, old.{AS_OF}, {", ".join(f"old.{name}" for name in features)} FROM {EXPORTED} AS old
LEFT JOIN {MODEL} AS new ON new.{USER_ID} = old.{USER_ID} WHERE new.{USER_ID} IS NULL;
"""  # noqa: S608 - names that were checked


def rows_of(changed: str, features: tuple[str, ...]) -> str:
    """The query whose rows become rows of Bigtable: a struct is a family, and each of its fields a column."""
    cells = ", ".join(f"IFNULL(TO_JSON_STRING({name}), 'null') AS {name}" for name in features)
    return f"""\
SELECT
  CONCAT(SUBSTR(TO_HEX(SHA256({USER_ID})), 1, {HASH_DIGITS}), '#', {USER_ID}) AS rowkey,
  STRUCT({cells}) AS {FAMILY},
  STRUCT('{BY.decode()}' AS `{MARK}`) AS {MARKS},
  TIMESTAMP_TRUNC({AS_OF}, MILLISECOND) AS _CHANGE_TIMESTAMP
FROM ({changed})"""  # noqa: S608 - names that were checked
