"""Looks for a user's id in everything that files, documents and messages hold, also packed or encoded."""

import re
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from shared.record.codec import unpack

BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def traces(data: bytes, user_id: str) -> bool:
    """True if bytes hold the id, as they are or in base64, also twice encoded."""
    return user_id.encode() in data or any(traces(inner, user_id) for inner in _decoded(data))


def files_with(folder: Path, user_id: str) -> set[str]:
    """The files of a folder that hold the id, or have it in their names: the names within the folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = {file for file in files if traces(file.read_bytes(), user_id) or user_id in file.name}
    return {str(file.relative_to(folder)) for file in found}


def rows_with(store: Path, user_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The rows of every table of a SQLite file that hold the id, also in what is packed, with their tables."""
    return [(table, row) for table, row in _rows(store) if any(holds(value, user_id) for value in row.values())]


def _rows(store: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with closing(sqlite3.connect(store)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f"select * from {table}"):  # noqa: S608 - a name of the file's own
                yield table, dict(row)


def holds(value: Any, user_id: str) -> bool:
    if isinstance(value, bytes):
        return traces(value, user_id) or user_id in _unpacked(value)
    return user_id in str(value)


def _unpacked(blob: bytes) -> str:
    try:
        return repr(unpack(blob))
    except Exception:
        return ""


def _decoded(data: bytes) -> Iterator[bytes]:
    for found in BASE64.findall(data):
        try:
            yield b64decode(found, validate=True)
        except ValueError:
            continue
