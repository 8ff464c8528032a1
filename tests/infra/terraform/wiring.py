"""The rule for topics and subscriptions: the cloud has those that the local runtime makes on the emulators."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import Subscription, Topic

from infra.emulator.topics import connect_functions, create_topics
from infra.remote.pubsub import LISTEN_SUFFIX, Bus
from infra.topology import Topology
from tests.infra.terraform.resources import Resource, differences, of_type

LANDING_SUFFIX = "-landing"
LANDING_SECONDS = 31 * 86_400
"""The longest retention of Pub/Sub: https://cloud.google.com/pubsub/docs/subscription-properties."""
Table = dict[str, Any]


def wiring_problems(found: list[Resource], topology: Topology, project: str) -> Iterator[str]:
    """Sentences about topics and subscriptions that differ from those of the local runtime, or lose messages."""
    subscriptions = of_type(found, "google_pubsub_subscription")
    cloud = {
        "topics": {each.values["name"]: each.values["message_retention_duration"] for each in _topics(found)},
        "subscriptions": {
            each.values["name"]: _cloud_row(each.values) for each in subscriptions if each.name != "landing"
        },
    }
    yield from differences(local_table(topology, project), cloud, "")
    for each in subscriptions:
        yield from _risks(each.values)
    yield from _landing_problems([each for each in subscriptions if each.name == "landing"], topology)


def _topics(found: list[Resource]) -> list[Resource]:
    return of_type(found, "google_pubsub_topic")


def _risks(values: dict[str, Any]) -> Iterator[str]:
    """Sentences about settings that the design excludes, because messages would be lost or delayed."""
    name = values["name"]
    if [policy["ttl"] for policy in values["expiration_policy"]] != [""]:
        yield f"{name}: expected a subscription that never expires"
    for column in ("filter", "enable_message_ordering", "enable_exactly_once_delivery"):
        if values.get(column):
            yield f"{name}: expected no {column}, found {values[column]}"


def _landing_problems(landing: list[Resource], topology: Topology) -> Iterator[str]:
    """Sentences about topics that do not land in BigQuery in the form that holds every message."""
    names = {each.values["name"] for each in landing}
    for missing in sorted({topic + LANDING_SUFFIX for topic in topology.topics} - names):
        yield f"{missing}: expected a landing subscription for each topic, found none"
    for each in landing:
        values, (config,) = each.values, each.values["bigquery_config"]
        if values["message_retention_duration"] != f"{LANDING_SECONDS}s":
            yield f"{values['name']}: expected 31 days of retention"
        if values["dead_letter_policy"]:
            yield f"{values['name']}: expected no dead letter, which would feed itself"
        if not config["write_metadata"] or config.get("use_topic_schema") or config.get("use_table_schema"):
            yield f"{values['name']}: expected metadata and the bytes as they are"


def _cloud_row(values: dict[str, Any]) -> Table:
    row: Table = {
        "topic": values["topic"],
        "ack_deadline_seconds": values["ack_deadline_seconds"],
        "retention": values["message_retention_duration"],
    }
    for push in values["push_config"]:
        row["path"] = urlsplit(push["push_endpoint"]).path
    for retry in values["retry_policy"]:
        row |= {"minimum_backoff": retry["minimum_backoff"], "maximum_backoff": retry["maximum_backoff"]}
    for letters in values["dead_letter_policy"]:
        row |= {"dead_letter": letters["dead_letter_topic"], "attempts": letters["max_delivery_attempts"]}
    return row


def local_table(topology: Topology, project: str) -> Table:
    """The topics and subscriptions that the local runtime asks Pub/Sub for, without those of `upbeat listen`."""
    made = _Recorder()
    bus = Bus(project, made, made)  # type: ignore[arg-type]
    create_topics(bus, topology)
    connect_functions(bus, topology, dict.fromkeys(topology.functions, "https://somewhere"))
    return {
        "topics": {_short(each.name): _seconds(each.message_retention_duration) for each in made.topics},
        "subscriptions": {
            _short(each.name): _local_row(each)
            for each in made.subscriptions
            if not each.name.endswith(LISTEN_SUFFIX)
        },
    }


class _Recorder(SimpleNamespace):
    """Keeps what Pub/Sub is asked for."""

    def __init__(self) -> None:
        super().__init__(topics=[], subscriptions=[])

    def create_topic(self, request: Topic) -> None:
        self.topics.append(Topic.pb(request))

    def create_subscription(self, request: Subscription) -> None:
        self.subscriptions.append(Subscription.pb(request))


def _local_row(made: Any) -> Table:
    row: Table = {
        "topic": made.topic,
        "ack_deadline_seconds": made.ack_deadline_seconds,
        "retention": _seconds(made.message_retention_duration),
    }
    if made.push_config.push_endpoint:
        retry, letters = made.retry_policy, made.dead_letter_policy
        row |= {
            "path": urlsplit(made.push_config.push_endpoint).path,
            "minimum_backoff": _seconds(retry.minimum_backoff),
            "maximum_backoff": _seconds(retry.maximum_backoff),
            "dead_letter": letters.dead_letter_topic,
            "attempts": letters.max_delivery_attempts,
        }
    return row


def _seconds(duration: Duration) -> str:
    return f"{duration.seconds}s"


def _short(name: str) -> str:
    return name.rpartition("/")[2]
