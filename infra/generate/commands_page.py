"""Makes docs/commands.md: every command with its arguments, options and examples, from the command line itself."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

HEAD = """<!-- Written by `python -m infra.generate`. -->
# Commands

Every command of `upbeat`, as its `--help` tells it. Where `--json` is listed, it prints one JSON object a
line, for programs.

Exit codes: 0 for success, 1 for a failure, 2 for arguments or an input file that make no sense.
"""
HELP = "--help"
_MARKUP = re.compile(r"([<>*_\[\]|`\\])")


def page(line: Any) -> str:
    """The page as Markdown: a section for each command of a Click group, those of a group within it below it."""
    return HEAD + "".join(_sections(line, line.context_class(line, info_name="upbeat")))


def _sections(group: Any, context: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        own = command.context_class(command, info_name=name, parent=context)
        yield _section(command, own)
        if hasattr(command, "commands"):
            yield from _sections(command, own)


def _section(command: Any, context: Any) -> str:
    depth = "#" * len(context.command_path.split())
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    paragraphs = cleandoc((command.help or "").replace("\b\n", "")).split("\n\n")
    parts = [f"{depth} {context.command_path}", f"```text\n{usage}\n```", *map(_paragraph, paragraphs)]
    return "\n" + "\n\n".join([*parts, *_table(command, context)]) + "\n"


def _paragraph(text: str) -> str:
    """A paragraph of a help text; an indented one is an example."""
    if text.startswith(" "):
        return f"```text\n{cleandoc(text)}\n```"
    return _escaped(text)


def _table(command: Any, context: Any) -> list[str]:
    """The table of arguments and options, without --help; nothing for a command that has none."""
    records = [record for param in command.params if (record := param.get_help_record(context))]
    rows = [f"| `{_cell(name)}` | {_escaped(_line(text))} |" for name, text in records if name != HELP]
    return ["\n".join(("| argument or option | meaning |", "| --- | --- |", *rows))] if rows else []


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
