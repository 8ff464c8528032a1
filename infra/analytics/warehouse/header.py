"""The header of a model: what it is, how it is built, and a sentence for every column.

A header is YAML in the `--` comments at the top of a file, so that the file stays SQL that BigQuery takes.
"""

from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.errors import InfraError
from infra.strict_yaml import InvalidYaml, read_yaml

ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, Field(min_length=3, pattern=r"\.$")]


_Read = TypeVar("_Read", bound=BaseModel)


class InvalidModel(InfraError):
    """A model or an assertion that cannot be used. The text names its file, the line, and what was expected."""


class Materialized(StrEnum):
    """The kind of thing that a model becomes."""

    VIEW = "view"
    TABLE = "table"
    INCREMENTAL = "incremental"
    """A table of which a run replaces the partitions that changed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fresh(_Part):
    """The newest instant of a column is at most so many hours old."""

    column: ColumnName
    hours: float = Field(gt=0)


class Volume(_Part):
    """The rows of the last whole day, as a multiple of the mean of so many days before it, are within bounds."""

    days: int = Field(default=7, ge=1, le=366)
    least: float = Field(ge=0)
    most: float = Field(gt=0)


class Tests(_Part):
    """The standard assertions about a model. `unique` of the header is one more."""

    not_null: tuple[ColumnName, ...] = ()
    accepted_values: dict[ColumnName, tuple[str | bool | int, ...]] = {}
    references: dict[ColumnName, Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]] = {}
    """For a column, the MODEL.COLUMN that has each of its values."""
    fresh: Fresh | None = None
    volume: Volume | None = None


class Header(_Part):
    """A header that was read and checked."""

    description: Sentence
    materialized: Materialized
    partition: ColumnName | None = None
    """A column of type DATE: BigQuery stores the rows of a day together, and a run replaces whole days. Of a view,
    the column by which its readers filter: a TIMESTAMP if its name ends with `_time`."""
    unique: tuple[ColumnName, ...] = ()
    """Columns whose values together name one row."""
    lookback: int | None = Field(default=None, ge=0, le=3650)
    """Days: a change in an input's day reopens this model's partitions from so many days before it."""
    require_partition_filter: bool = False
    """True refuses a query that compares the partition with no constant. A view that reads large tables unfiltered
    has it too: BigQuery hands the filter on to them."""
    cluster: tuple[ColumnName, ...] = Field(default=(), max_length=4)
    """The columns by which BigQuery sorts a partition."""
    tests: Tests = Tests()
    columns: dict[ColumnName, Sentence] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if problems := list(self._contradictions()):
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> list[str]:
        incremental = self.materialized is Materialized.INCREMENTAL
        problems = []
        if incremental != (self.lookback is not None):
            problems.append("expected a lookback for incremental models, and for no others")
        if incremental and self.partition is None:
            problems.append("expected a partition for an incremental model, found none")
        if self.materialized is Materialized.VIEW and self.cluster:
            problems.append("expected no cluster for a view")
        if self.require_partition_filter and self.partition is None:
            problems.append("expected a partition where its filter is required, found none")
        named = {self.partition, *self.unique, *self.cluster, *self._tested()} - {None}
        if unknown := sorted(str(name) for name in named - set(self.columns)):
            problems.append(f"expected columns that the header describes, found {', '.join(unknown)}")
        return problems

    def _tested(self) -> set[str]:
        tests = self.tests
        fresh = {tests.fresh.column} if tests.fresh else set()
        return {*tests.not_null, *tests.accepted_values, *tests.references} | fresh


def header_lines(text: str) -> list[str]:
    """The lines of the header without their comment marks; a line that holds SQL ends it."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line[2:].removeprefix(" "))
    return lines


class AssertionHeader(_Part):
    """The header of an assertion in a file of its own."""

    description: Sentence
    """A sentence about what holds where its query gives no row."""


def read_header(text: str, file: str) -> Header:
    """The header of a model's text. Raises `InvalidModel`."""
    return _read(Header, text, file)


def read_assertion(text: str, file: str) -> AssertionHeader:
    """The header of an assertion's text. Raises `InvalidModel`."""
    return _read(AssertionHeader, text, file)


def _read(kind: type[_Read], text: str, file: str) -> _Read:
    source = "\n".join(header_lines(text))
    if not source.strip():
        raise InvalidModel(f"{file}: line 1: expected a header of `-- key: value` comments, found none")
    try:
        return kind.model_validate(read_yaml(source.encode()))
    except InvalidYaml as error:
        raise InvalidModel(f"{file}: {error}") from None
    except ValidationError as error:
        root = yaml.compose(source, yaml.CSafeLoader)
        places = (f"{file}: line {_line(root, e['loc'])}: {_path(e['loc'])}{_said(e)}" for e in error.errors())
        raise InvalidModel("\n".join(places)) from None


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"{part}: " for part in location)


def _said(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "expected a known key, found another"
        case "missing":
            return "expected it, found none"
        case "value_error":
            return str(error["ctx"]["error"])
        case "string_pattern_mismatch" if error["ctx"]["pattern"] == r"\.$":
            return f"expected a sentence that ends with a full stop, found {error['input']!r}"
        case _:
            return f"{error['msg']}, found {error['input']!r}"


def _line(root: Any, location: tuple[int | str, ...]) -> int:
    """The line of a place in the header; the nearest above it that exists."""
    node = root
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return int(line)
