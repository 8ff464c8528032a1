"""Changes of a copy of infra/."""

from pathlib import Path

from tests.infra.terraform.offline import Change


def edit(file: str, before: str, after: str) -> Change:
    """The change of one passage in a file of infra/."""

    def change(tree: Path) -> None:
        text = (tree / file).read_text()
        assert before in text, f"{before!r} is not in {file}"
        (tree / file).write_text(text.replace(before, after))

    return change


def without(file: str, beginning: str, end: str = "}\n") -> Change:
    """The removal of a passage, from its beginning up to and with its end."""

    def change(tree: Path) -> None:
        before, found, after = (tree / file).read_text().partition(beginning)
        assert found, f"{beginning!r} is not in {file}"
        (tree / file).write_text(before + after.partition(end)[2])

    return change
