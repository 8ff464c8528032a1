"""Writes a file so that nobody ever reads a part of it."""

from pathlib import Path


def replace_text(file: Path, text: str) -> None:
    """Put a text in the place of what the file has, at once. Raises `OSError`."""
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
