"""Tables of users' features in Bigtable's emulator."""

from typing import Any
from uuid import uuid4

from google.auth.credentials import AnonymousCredentials
from google.cloud.bigtable import Client

from infra.analytics.features.table import FeatureTable
from infra.emulator.bigtable import BigtableEmulator
from shared.adapters.gcp.feature_rows import FAMILY, MARKS, row_key


class EmulatedTable(FeatureTable):
    """A new table, as Terraform makes it; everything is stored in the emulator of a test."""

    def __init__(self, emulator: BigtableEmulator, project: str, monkeypatch: Any) -> None:
        monkeypatch.setenv("BIGTABLE_EMULATOR_HOST", emulator.host)
        client = Client(project=project, admin=True, credentials=AnonymousCredentials())
        table = f"features-{uuid4().hex[:8]}"
        super().__init__(client, "upbeat", table)
        self.name = f"projects/{project}/instances/upbeat/tables/{table}"
        self._table.create(column_families={FAMILY: None, MARKS: None})

    def put(self, user_id: str, column: str, value: bytes, at: Any, family: str = FAMILY) -> None:
        """Write one cell, as anybody may."""
        row = self._table.direct_row(row_key(user_id))
        row.set_cell(family, column.encode(), value, timestamp=at)
        row.commit()

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """The cells of all rows: by user and `family:column`, the newest value with its time, and so on."""
        return {
            row.row_key.decode().partition("#")[2]: {
                f"{family}:{column.decode()}": [(cell.value, cell.timestamp) for cell in cells]
                for family, columns in row.cells.items()
                for column, cells in columns.items()
            }
            for row in self._table.read_rows()
        }
