"""What is compared: our packaged function, the floor and the peer, each running on the emulators."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4
from zipfile import ZipFile

from google.pubsub_v1.types import Topic as PubsubTopic

from infra.catalog.load import artifacts_of, load_catalog
from infra.deploy.package import zip_function
from infra.emulator.emulators import Emulators
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog, read_document
from infra.remote.pubsub import LISTEN_SUFFIX, Bus
from infra.topology import load
from tests.bench.cpu import cpu_seconds
from tests.bench.function.load import Load
from tests.bench.function.workload import Scenario, Workload
from tests.support.booted import Booted
from tests.support.watching import eventually

FUNCTION = "payment"
BENCH = Path(__file__).parents[1]
PULL_SECONDS = 2.0


class Profile(NamedTuple):
    """What one event of a scenario makes our function store and publish."""

    stored: int | None
    """The bytes of the user's document; None if the event must not change it."""
    published: list[int]
    """The bytes of each message."""


class Subject(NamedTuple):
    """A running function under test."""

    name: str
    booted: Booted
    endpoints: Endpoints

    def url(self, scenario: Scenario) -> str:
        """The address of a scenario's requests. Only the floor looks at the path."""
        return f"{self.booted.url}/{scenario.path}"

    def cpu_seconds(self) -> float:
        """The CPU time of its processes so far."""
        pid = self.booted.process.pid
        if pid is None:
            raise RuntimeError(f"{self.name}: expected a running function, found its end:\n{self.booted.errors}")
        return cpu_seconds(pid)


@contextmanager
def ours(emulators: Emulators, folder: Path, python: Path) -> Iterator[Subject]:
    """Our function, from its zip, with the settings and the shipped catalog of a deployment."""
    with ZipFile(zip_function(FUNCTION, folder / "ours.zip")) as bundle:
        bundle.extractall(folder / "ours")
    endpoints = _project(emulators)
    catalog = load_catalog()
    publish_catalog(emulator_client(endpoints), catalog, artifacts_of(catalog))
    settings = {**CLOUD_ENVIRONMENT, "UPBEAT_LOG_LEVEL": "INFO", "UPBEAT_USER_HASH_KEY": "bench"}
    with _running("ours", folder / "ours", python, endpoints, settings) as subject:
        yield subject


@contextmanager
def floor(
    emulators: Emulators, folder: Path, python: Path, profiles: Mapping[Scenario, Profile]
) -> Iterator[Subject]:
    """The floor, which stores and publishes as much as our function does."""
    shutil.copytree(BENCH / "floor", folder / "floor")
    said = json.dumps({scenario.path: profile._asdict() for scenario, profile in profiles.items()})
    settings = {**CLOUD_ENVIRONMENT, "FLOOR_PROFILES": said}
    with _running("floor", folder / "floor", python, _project(emulators, "floor"), settings) as subject:
        yield subject


@contextmanager
def peer(emulators: Emulators, folder: Path, python: Path) -> Iterator[Subject]:
    """The peer, with the framework's own defaults."""
    shutil.copytree(BENCH / "peer", folder / "peer")
    with _running("peer", folder / "peer", python, _project(emulators), {}) as subject:
        yield subject


@contextmanager
def _running(
    name: str, source: Path, python: Path, endpoints: Endpoints, env: Mapping[str, str]
) -> Iterator[Subject]:
    with Booted(FUNCTION, source, python, {**endpoints.env, **env}) as booted:
        _wait_until_answers(name, booted)
        yield Subject(name, booted, endpoints)


def _wait_until_answers(name: str, booted: Booted) -> None:
    """Wait for any answer to a GET: the framework answers one of a CloudEvent function with an error.

    Raises `RuntimeError` if the function ends or does not answer.
    """

    def answers() -> bool:
        try:
            with urlopen(booted.url) as response:  # noqa: S310 - always http on this machine
                return bool(response.status)
        except HTTPError:
            return True
        except (OSError, HTTPException):
            return booted.process.ended.is_set()

    if not eventually(answers) or booted.process.ended.is_set():
        raise RuntimeError(f"{name}: expected a running function, found:\n{booted.errors}")


def _project(emulators: Emulators, *topics: str) -> Endpoints:
    """A new project with all topics and without subscriptions, so that the emulator keeps no messages."""
    endpoints = emulators.endpoints(f"bench-{uuid4().hex[:12]}")
    with closing(Bus.of_emulator(endpoints)) as bus:
        for topic in (*load().topics, *topics):
            bus.publisher.create_topic(request=PubsubTopic(name=bus.topic_path(topic)))
    return endpoints


@contextmanager
def listening(endpoints: Endpoints, topics: Sequence[str]) -> Iterator[Bus]:
    """A bus with a subscription to each of the topics, deleted again at the end."""
    with ExitStack() as stack:
        bus = stack.enter_context(closing(Bus.of_emulator(endpoints)))
        for topic in topics:
            path = bus.subscription_path(topic + LISTEN_SUFFIX)
            bus.subscriber.create_subscription(name=path, topic=bus.topic_path(topic))
            stack.callback(bus.delete_subscription, topic + LISTEN_SUFFIX)
        yield bus


def published(bus: Bus, topics: Sequence[str]) -> list[bytes]:
    """The data of all messages of the topics that nobody has received yet."""
    with ThreadPoolExecutor(len(topics)) as pool:  # the end of each topic's messages is a wait
        return [data for each in pool.map(lambda topic: [*_unread(bus, topic)], topics) for data in each]


def _unread(bus: Bus, topic: str) -> Iterator[bytes]:
    while received := bus.pull(topic + LISTEN_SUFFIX, 1000, PULL_SECONDS):
        bus.ack(topic + LISTEN_SUFFIX, received)
        yield from (message.data for message in received)


def profiles_of(subject: Subject, load_process: Load, workload: Workload) -> dict[Scenario, Profile]:
    """What one event of each scenario makes our function store and publish.

    A duplicate is to store and publish nothing, whatever our function does.
    """
    work = {
        Scenario.RENEWAL: workload.renewals(Scenario.RENEWAL, 1),
        Scenario.TRIGGER: workload.renewals(Scenario.TRIGGER, 1),
        Scenario.LATE: workload.late(1),
    }
    found = {Scenario.DUPLICATE: Profile(None, [])}
    topics = load().topics_out
    for scenario, (before, (body,)) in work.items():
        for round_ in before:
            load_process.post(subject.url(scenario), round_, 1)
        with listening(subject.endpoints, topics) as bus:
            load_process.post(subject.url(scenario), [body], 1)
            sizes = [len(data) for data in published(bus, topics)]
        stored = read_document(emulator_client(subject.endpoints), _user_of(body))
        found[scenario] = Profile(len(stored.blob if stored and stored.blob else b""), sizes)
    return found


def _user_of(body: bytes) -> str:
    return str(json.loads(body)["message"]["messageId"].rsplit("-", 1)[0])
