"""Text files in blocks, which are read apart from each other: each has the lines that begin within its bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

BYTES = 8 * 1024 * 1024
"""The size of a block: some ten thousand lines."""


class Block(NamedTuple):
    """Some bytes of a file, which may be on this machine or in a bucket."""

    path: str
    start: int
    end: int


def files_of(pattern: str) -> list[tuple[str, int]]:
    """The files that match a pattern, each with its size in bytes, sorted by their paths; folders are none."""
    (found,) = FileSystems.match([pattern])
    files = [(file.path, file.size_in_bytes) for file in found.metadata_list]
    return sorted(file for file in files if not Path(file[0]).is_dir())


def bytes_of(source: str) -> int:
    """The bytes of a file, or of all `.jsonl` files in a folder."""
    return sum(size for _, size in files_of(source) or files_of(f"{source.rstrip('/')}/*.jsonl"))


def blocks_of(path: str, size: int) -> list[Block]:
    """The blocks of a file, in order."""
    return [Block(path, start, min(start + BYTES, size)) for start in range(0, size, BYTES)]


def lines_of(block: Block) -> Iterator[bytes]:
    """The lines that begin within a block, each with its end. Raises `OSError`."""
    with FileSystems.open(block.path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        at = block.start
        if at:
            file.seek(at - 1)  # a line that begins at `start` has its predecessor's end just before
            at += len(file.readline()) - 1
        while at < block.end and (line := file.readline()):
            at += len(line)
            yield line
