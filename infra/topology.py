"""The topology: which function listens to which topic and publishes to which, as one validated value."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.errors import InfraError, UsageError

ROOT = Path(__file__).resolve().parent.parent
"""The repository, or wherever `functions/`, `shared/` and `infra/` stand beside each other."""
TABLE = ROOT / "infra" / "topology.yaml"

TopicName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,62}$")]
FunctionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,62}$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Topic(_Row):
    """A topic, and for how long it and its subscriptions keep a message."""

    name: TopicName
    retention_days: int = Field(ge=1, le=31)


class Function(_Row):
    """A function: what it listens to, what it publishes, how deliveries are retried, how it is run."""

    name: FunctionName
    listens: TopicName
    publishes: tuple[TopicName, ...]
    ack_deadline_seconds: int = Field(ge=10, le=600)
    min_backoff_seconds: int = Field(ge=0, le=600)
    max_backoff_seconds: int = Field(ge=0, le=600)
    max_delivery_attempts: int = Field(ge=5, le=100)
    timeout_seconds: int = Field(ge=1, le=3600)
    concurrency: int = Field(ge=1, le=1000)
    cpu: int = Field(ge=1, le=8)
    memory_mib: int = Field(ge=128, le=32768)
    max_instances: int = Field(ge=1)

    @property
    def subscription(self) -> str:
        """The name of its push subscription, and of its service."""
        return self.name.replace("_", "-")


class DeadLetter(_Row):
    """Where messages go that cannot be processed, and the subscription that keeps them."""

    topic: TopicName
    subscription: TopicName


class Topology(_Row):
    """The whole table. Raises `InfraError` on construction by `load` where rows do not fit together."""

    topics: dict[TopicName, Topic]
    dead_letter: DeadLetter
    functions: dict[FunctionName, Function]
    schedules: dict[TopicName, str]
    """Topics that a scheduler publishes an empty JSON object to, each with its cron expression (UTC)."""

    @model_validator(mode="after")
    def _rows_fit_together(self) -> Self:
        if problems := list(self._misfits()):
            raise ValueError("; ".join(problems))
        return self

    def _misfits(self) -> Iterator[str]:
        heard: dict[str, str] = {}
        for function in self.functions.values():
            for topic in {function.listens, *function.publishes} - set(self.topics):
                yield f"{function.name} names {topic}, which is not under topics"
            if function.listens in heard:
                yield f"{function.name} and {heard[function.listens]} both listen to {function.listens}"
            heard[function.listens] = function.name
        if self.dead_letter.topic not in self.topics:
            yield f"dead_letter names {self.dead_letter.topic}, which is not under topics"
        for topic in set(self.schedules) - set(heard):
            yield f"schedules names {topic}, which no function listens to"

    @property
    def topics_in(self) -> tuple[str, ...]:
        """Topics that a function listens to, in the order of the table."""
        heard = {function.listens for function in self.functions.values()}
        return tuple(topic for topic in self.topics if topic in heard)

    @property
    def topics_out(self) -> tuple[str, ...]:
        """Topics that others listen to, in the order of the table."""
        return tuple(topic for topic in self.topics if topic not in self.topics_in)

    def listener(self, subscription: str) -> Function | None:
        """The function that a push subscription belongs to."""
        return next((f for f in self.functions.values() if f.subscription == subscription), None)

    def with_each_function(self, **changes: Any) -> "Topology":
        """The same table with some columns of every function replaced, for runs in a hurry."""
        rows = {name: row.model_dump() | changes for name, row in self.functions.items()}
        return Topology.model_validate(self.model_dump() | {"functions": rows})


def load(path: Path = TABLE) -> Topology:
    """The table in a file. Raises `InfraError` naming each mistake and its place."""
    try:
        return Topology.model_validate(_filled_in(yaml.safe_load(path.read_text())))
    except OSError as error:
        raise InfraError(f"cannot read the topology: {error}") from error
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise InfraError(f"{path.name} is not a table of mappings in YAML: {error}") from error
    except ValidationError as error:
        places = (f"  {'.'.join(map(str, e['loc'])) or 'table'}: {e['msg']}" for e in error.errors())
        raise InfraError(f"{path.name} is not a valid topology:\n" + "\n".join(places)) from error


def _filled_in(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with names and defaults written into every row."""
    filled = {**table}
    for rows, defaults in (("topics", "topic_defaults"), ("functions", "function_defaults")):
        shared = filled.pop(defaults, {})
        filled[rows] = {
            name: {**shared, **(row or {}), "name": name} for name, row in filled.get(rows, {}).items()
        }
    for row in filled["functions"].values():
        row["publishes"] = tuple(row.get("publishes", ()))
    return filled


def known(name: str, among: tuple[str, ...], kind: str) -> str:
    """The name, if it is one of those. Raises `UsageError` listing them."""
    if name not in among:
        raise UsageError(f"unknown {kind} {name!r}; known are: {', '.join(among)}")
    return name
