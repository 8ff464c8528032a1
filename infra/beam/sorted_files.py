"""Lines in files, in an order that depends on neither the runner nor the number of its workers."""

import zlib
from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from infra.beam.whole_files import write_whole

KeyedLine = tuple[str, tuple[int, bytes, int], bytes]
"""A line behind its user's id, which chooses a file, and its key, by which the lines of a file are sorted."""

Keyed = tuple[tuple[int, bytes, int], bytes]


def names_of(out: str, shards: int) -> list[str]:
    """The names of the files: the given one, or as many as there are shards, numbered before its ending."""
    if shards == 1:
        return [out]
    name, dot, ending = out.rpartition(".") if "." in out.rpartition("/")[2] else (out, "", "")
    return [f"{name}-{number:05}-of-{shards:05}{dot}{ending}" for number in range(shards)]


def write_sorted(lines: Any, names: list[str]) -> Any:
    """Write each `KeyedLine` into one of these files, by its user. The lines of a file must fit in memory."""
    every = lines.pipeline | "Files" >> beam.Create([(number, ((0, b"", 0), b"")) for number in range(len(names))])
    placed = lines | "Place" >> beam.Map(_placed, len(names))
    grouped = (placed, every) | "Both" >> beam.Flatten() | "By file" >> beam.GroupByKey()
    return grouped | "Write" >> beam.Map(_write, names)


def _placed(line: KeyedLine, shards: int) -> tuple[int, Keyed]:
    user_id, key, text = line
    return zlib.crc32(user_id.encode(errors="surrogatepass")) % shards, (key, text)


def _write(file: tuple[int, Iterable[Keyed]], names: list[str]) -> None:
    number, lines = file
    write_whole(names[number], b"".join(text for _, text in sorted(lines)))
