"""The topology, read from topology.yaml and validated: topics, functions, services and schedules."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra.errors import InfraError, UsageError
from infra.strict_yaml import InvalidYaml, read_yaml

ROOT = Path(__file__).resolve().parent.parent
"""The repository: the folder that holds `functions/`, `shared/` and `infra/`."""
TABLE = ROOT / "infra" / "topology.yaml"

SECTIONS = {
    "topics": "topic_defaults",
    "functions": "function_defaults",
    "services": "service_defaults",
    "grpc_services": "service_defaults",
    "consumers": "function_defaults",
    "pages": "page_defaults",
    "webhooks": "service_defaults",
}
"""The sections of the table that hold rows, each with the section of their defaults."""

TopicName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,62}$")]
FunctionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,21}[a-z0-9]$")]
"""At most 23 characters: with `upbeat-` before it, the id of a service account, which may have 30.

See https://cloud.google.com/iam/docs/service-accounts-create.
"""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TopicRow(_Row):
    """A topic. It and its subscriptions keep a message for `retention_days`."""

    name: TopicName
    retention_days: int = Field(ge=1, le=31)


class DeployedRow(_Row):
    """The columns that functions and services share: a folder in `functions/`, topics to publish to, resources."""

    name: FunctionName
    runtime: str = Field(pattern=r"^python3\d\d$")
    publishes: tuple[TopicName, ...]
    timeout_seconds: int = Field(ge=1, le=3600)
    concurrency: int = Field(ge=1, le=1000)
    cpu: int = Field(ge=1, le=8)
    memory_mib: int = Field(ge=128, le=32768)
    min_instances: int = Field(ge=0, le=1000)
    max_instances: int = Field(ge=1, le=1000)

    @property
    def service(self) -> str:
        """The name of the Cloud Run service."""
        return self.name.replace("_", "-")

    def contradictions(self) -> Iterator[str]:
        """Sentences about values of this row that cannot both hold."""
        yield from self._disorder("min_instances", "max_instances")

    def _disorder(self, least: str, most: str) -> Iterator[str]:
        low, high = getattr(self, least), getattr(self, most)
        if low > high:
            yield f"{self.name}: expected a {least} of at most the {most} of {high}, found {low}"


class FunctionRow(DeployedRow):
    """A function: its topics, the retries of its deliveries, and its resources."""

    listens: TopicName
    continues: bool
    """True if the function may publish to its own topic, to continue what one delivery has no time for."""
    ack_deadline_seconds: int = Field(ge=10, le=600)
    min_backoff_seconds: int = Field(ge=0, le=600)
    max_backoff_seconds: int = Field(ge=0, le=600)
    max_delivery_attempts: int = Field(ge=5, le=100)

    def contradictions(self) -> Iterator[str]:
        """Sentences about values of this row that cannot both hold."""
        if self.ack_deadline_seconds <= self.timeout_seconds:
            yield (
                f"{self.name}: expected an ack_deadline_seconds above the timeout_seconds of"
                f" {self.timeout_seconds}, found {self.ack_deadline_seconds}; a second delivery would start while"
                " the first runs"
            )
        yield from self._disorder("min_backoff_seconds", "max_backoff_seconds")
        yield from super().contradictions()

    @property
    def subscription(self) -> str:
        """The name of the push subscription, which is also the service's."""
        return self.service


class ServiceRow(DeployedRow):
    """A service that other programs call over HTTP. Without topics to publish to, it only reads."""

    invoked_by: tuple[Literal["readers", "deciders"], ...] = Field(min_length=1)
    """The lists of callers in Terraform's variables that may call it."""


class GrpcServiceRow(ServiceRow):
    """A service that other programs call over gRPC, run from an image. Several may have one image."""

    folder: FunctionName
    """The folder in `functions/` of which the image is made."""


class ConsumerRow(FunctionRow):
    """A consumer of Upbeat's own messages: a function like others, that Upbeat runs without."""

    filter: str = Field(min_length=1)
    """The filter of its subscription. The emulator ignores it, so that the function has to check what it gets."""


class PageRow(_Row):
    """A function that anybody may call. Its resources are the defaults of functions."""

    name: FunctionName
    publishes: tuple[TopicName, ...]

    @property
    def service(self) -> str:
        """The name of the Cloud Run service."""
        return self.name.replace("_", "-")


class DeadLetterRow(_Row):
    """The topic for messages that cannot be processed, and the subscription that keeps them."""

    topic: TopicName
    subscription: TopicName


class Topology(_Row):
    """The whole table. `load` raises `InfraError` if rows contradict each other."""

    record_format: int = Field(ge=1)
    """The form of a user's document; a function cannot read a higher one than its own."""
    topics: dict[TopicName, TopicRow]
    dead_letter: DeadLetterRow
    functions: dict[FunctionName, FunctionRow]
    services: dict[FunctionName, ServiceRow] = {}
    grpc_services: dict[FunctionName, GrpcServiceRow] = {}
    consumers: dict[FunctionName, ConsumerRow] = {}
    """They may close a circle: what one reports may lead to the next message it gets. It ends, because each
    message brings at most one report of a kind, and caps bound the triggers."""
    pages: dict[FunctionName, PageRow] = {}
    webhooks: dict[FunctionName, DeployedRow] = {}
    """The functions that a CMS calls, over HTTP. It is deployed where a CMS is named, and not run by `up`."""
    schedules: dict[TopicName, str]
    """Cron expressions (UTC), by the topic to which the scheduler then publishes an empty JSON object."""

    @model_validator(mode="after")
    def _check_references(self) -> Self:
        if problems := list(self._contradictions()):
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> Iterator[str]:
        listener: dict[str, str] = {}
        for name in self.functions.keys() & self.services.keys():
            yield f"{name} is both under functions and under services"
        for name in self.deployed.keys() & self.grpc_services.keys():
            yield f"{name} is under grpc_services and has another row"
        for name in self.webhooks.keys() & {*self.deployed, *self.grpc_services}:
            yield f"{name} is under webhooks and has another row"
        called = (*self.grpc_services.values(), *self.webhooks.values())
        for row in (*self.deployed.values(), *called, *self.consumers.values()):
            yield from row.contradictions()
        for service in (*self.services.values(), *self.grpc_services.values(), *self.webhooks.values()):
            yield from self._unknown_topics(service.name, service.publishes)
        for page in self.pages.values():
            yield from self._unknown_topics(page.name, page.publishes)
        for each in self.listeners.values():
            yield from self._unknown_topics(each.name, (each.listens, *each.publishes))
        for function in self.functions.values():
            if function.listens in listener:
                yield f"{function.name} and {listener[function.listens]} both listen to {function.listens}"
            listener[function.listens] = function.name
        if self.dead_letter.topic not in self.topics:
            yield f"dead_letter names {self.dead_letter.topic}, which is not under topics"
        for topic in set(self.schedules) - set(listener):
            yield f"schedules names {topic}, which no function listens to"
        yield from self._cycles()

    def _unknown_topics(self, name: str, named: tuple[str, ...]) -> Iterator[str]:
        for topic in set(named) - set(self.topics):
            yield f"{name} names {topic}, which is not under topics"

    def _cycles(self) -> Iterator[str]:
        """A sentence about topics through which a message would cause itself again without end."""
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for function in self.functions.values():
            for topic in function.publishes:
                if not (function.continues and topic == function.listens):
                    sorter.add(topic, function.listens)
        try:
            sorter.prepare()
        except CycleError as error:
            yield f"expected no cycle, found {' -> '.join(error.args[1])}"

    @property
    def deployed(self) -> dict[str, DeployedRow]:
        """Every function and service over HTTP: each has a folder in `functions/`, and is deployed by its zip."""
        return {**self.functions, **self.services}

    @property
    def packaged(self) -> tuple[str, ...]:
        """The folders in `functions/`, each of which makes a package."""
        of_grpc = dict.fromkeys(row.folder for row in self.grpc_services.values())
        return (*self.deployed, *self.webhooks, *of_grpc, *self.consumers, *self.pages)

    @property
    def listeners(self) -> dict[str, FunctionRow]:
        """Everything that has a push subscription."""
        return {**self.functions, **self.consumers}

    @property
    def topics_in(self) -> tuple[str, ...]:
        """Topics that a function listens to, in the order of the table."""
        inbound = {function.listens for function in self.functions.values()}
        return tuple(topic for topic in self.topics if topic in inbound)

    @property
    def topics_out(self) -> tuple[str, ...]:
        """Topics that no function listens to, in the order of the table; other systems subscribe to them."""
        return tuple(topic for topic in self.topics if topic not in self.topics_in)

    def listener(self, subscription: str) -> FunctionRow | None:
        """The function that a push subscription delivers to; None if there is no such subscription."""
        return next((f for f in self.listeners.values() if f.subscription == subscription), None)


def load(path: Path = TABLE) -> Topology:
    """The table in a file. Raises `InfraError` with every mistake and its place."""
    try:
        return Topology.model_validate(_with_defaults(read_yaml(path.read_bytes())))
    except OSError as error:
        raise InfraError(f"cannot read the topology: {error}") from error
    except InvalidYaml as error:
        raise InfraError(f"{path.name}: {error}") from error
    except (TypeError, AttributeError) as error:
        raise InfraError(f"{path.name} is not a table of mappings in YAML: {error}") from error
    except ValidationError as error:
        places = (f"  {'.'.join(map(str, e['loc'])) or 'table'}: {e['msg']}" for e in error.errors())
        raise InfraError(f"{path.name} is not a valid topology:\n" + "\n".join(places)) from error


def _with_defaults(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with names and defaults written into every row."""
    filled = {**table}
    for rows, defaults in SECTIONS.items():
        shared = table.get(defaults, {})
        filled[rows] = {name: {**shared, **(row or {}), "name": name} for name, row in table.get(rows, {}).items()}
        filled.pop(defaults, None)
    called = (*filled["services"].values(), *filled["grpc_services"].values())
    others = (filled[rows].values() for rows in ("functions", "consumers", "pages", "webhooks"))
    for row in (*chain.from_iterable(others), *called):
        row["publishes"] = tuple(row.get("publishes", ()))
    for row in called:
        row["invoked_by"] = tuple(row.get("invoked_by", ()))
    return filled


def known(name: str, among: tuple[str, ...], kind: str) -> str:
    """The name, if it is among the known ones. Raises `UsageError` with the known ones if not."""
    if name not in among:
        raise UsageError(f"unknown {kind} {name!r}; known are: {', '.join(among)}")
    return name
