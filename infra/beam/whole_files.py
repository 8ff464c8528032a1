"""Files that appear only whole, on any file system: written under another name, and then renamed."""

from uuid import uuid4

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

DRAFT = ".draft-"
"""Follows a file's name in that of its draft, before a random part: two workers may write the same file."""


def write_whole(path: str, data: bytes) -> None:
    """Put data in the place of what the file has, at once. Raises `OSError`."""
    draft = f"{path}{DRAFT}{uuid4().hex}"
    with FileSystems.create(draft, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(data)
    FileSystems.rename([draft], [path])


def remove_drafts(path: str) -> None:
    """Remove the drafts of this file that a run left when it was killed."""
    (found,) = FileSystems.match([f"{path}{DRAFT}*"])
    if found.metadata_list:
        FileSystems.delete([file.path for file in found.metadata_list])
