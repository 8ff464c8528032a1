import re
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from infra.errors import InfraError, UsageError
from infra.topology import ROOT, known, load
from shared.contracts.topics import Topic
from shared.domain import ring
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord
from tests.support.topologies import with_each_function

SMALL = """
topic_defaults: {retention_days: 7}
record_format: 1
topics: {orders: {}, results: {}, dead-letter: {}}
dead_letter: {topic: dead-letter, subscription: dead-letter-hold}
function_defaults:
  runtime: python311
  publishes: [results, dead-letter]
  continues: false
  ack_deadline_seconds: 60
  min_backoff_seconds: 10
  max_backoff_seconds: 600
  max_delivery_attempts: 100
  timeout_seconds: 50
  concurrency: 1
  cpu: 1
  memory_mib: 512
  min_instances: 0
  max_instances: 1
functions: {take_order: {listens: orders}}
schedules: {}
"""


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "topology.yaml"
        path.write_text(text)
        return path

    return write


def test_every_function_has_a_row_and_every_row_a_function():
    folders = {main.parent.name for main in (ROOT / "functions").glob("*/main.py")}
    assert folders == set(load().packaged)


SERVICES = """
service_defaults:
  runtime: python311
  publishes: []
  timeout_seconds: 30
  concurrency: 80
  cpu: 1
  memory_mib: 512
  min_instances: 0
  max_instances: 10
services:
  ask: {invoked_by: [readers]}
grpc_services:
  ask_grpc: {folder: ask_grpc, invoked_by: [readers], concurrency: 9}
  tell_grpc: {folder: ask_grpc, invoked_by: [deciders], publishes: [results]}
"""


def test_a_service_is_deployed_as_a_function_is_and_listens_to_nothing(table):
    topology = load(table(SMALL + SERVICES))
    assert [*topology.deployed] == ["take_order", "ask"]
    assert topology.deployed["take_order"].service == topology.functions["take_order"].subscription == "take-order"
    assert topology.topics_in == ("orders",)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("[readers]", "[everybody]", "Input should be 'readers' or 'deciders'"),
        ("[readers]", "[]", "at least 1 item"),
        ("ask: {", "ask: {publishes: [refunds], ", "ask names refunds, which is not under topics"),
        ("ask: {", "ask: {listens: orders, ", "Extra inputs are not permitted"),
        ("ask: {", "ask: {min_instances: 11, ", "expected a min_instances of at most the max_instances of 10"),
        ("ask: {", "take_order: {", "take_order is both under functions and under services"),
        ("tell_grpc: {", "ask: {", "ask is under grpc_services and has another row"),
        ("[results]", "[refunds]", "tell_grpc names refunds, which is not under topics"),
        ("folder: ask_grpc, invoked_by: [readers]", "invoked_by: [readers]", "grpc_services.ask_grpc.folder"),
        ("concurrency: 9", "min_instances: 11", "expected a min_instances of at most the max_instances of 10"),
    ],
)
def test_a_service_that_cannot_be_is_refused(table, before, after, problem):
    with pytest.raises(InfraError, match=re.escape(problem)):
        load(table(SMALL + SERVICES.replace(before, after)))


def test_grpc_services_have_the_defaults_of_services_and_one_package_for_each_folder(table):
    topology = load(table(SMALL + SERVICES))
    ask, tell = topology.grpc_services.values()
    assert (ask.concurrency, tell.concurrency, ask.timeout_seconds) == (9, 80, 30)
    assert topology.packaged == ("take_order", "ask", "ask_grpc")


def test_a_service_that_publishes_nothing_may_be_called_by_those_who_only_read():
    services = {**load().services, **load().grpc_services}.values()
    assert {row.name for row in services if "readers" in row.invoked_by} == {
        row.name for row in services if not row.publishes
    }


def test_the_table_and_the_code_know_the_same_topics():
    assert set(load().topics) == set(Topic)


def test_a_message_and_its_dead_letter_live_no_longer_than_pending_messages_are_kept():
    topology = load()
    letters = topology.topics[topology.dead_letter.topic].retention_days
    longest = max(topic.retention_days for topic in topology.topics.values())
    assert longest + letters <= Terms().redelivery.days


def test_a_consumer_may_close_a_circle_and_is_no_part_of_upbeat():
    topology = load()
    assert "upsell-trigger" in topology.topics_out
    assert topology.listener("deliver-email") is topology.consumers["deliver_email"]
    assert "deliver_email" not in topology.functions


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ("consumers: {tell: {listens: result, filter: x}}", "tell names result, which is not under topics"),
        ("consumers: {tell: {listens: results, filter: x, publishes: [order]}}", "tell names order"),
        ("consumers: {tell: {listens: results}}", "consumers.tell.filter"),
        (
            "consumers: {tell: {listens: results, filter: x, timeout_seconds: 60}}",
            "tell: expected an ack_deadline",
        ),
        ("pages: {links: {publishes: [order]}}", "links names order"),
        ("pages: {links: {listens: orders}}", "pages.links.listens"),
    ],
)
def test_a_mistake_in_a_consumer_or_a_page_is_named(table, section, found):
    with pytest.raises(InfraError, match=found):
        load(table(f"{SMALL}{section}\n"))


def test_every_function_can_send_to_the_dead_letter():
    topology = load()
    assert all(topology.dead_letter.topic in f.publishes for f in topology.functions.values())


def test_functions_run_on_the_oldest_python_that_the_project_supports_and_checks():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    oldest = project["project"]["requires-python"].removeprefix(">=")
    assert project["tool"]["mypy"]["python_version"] == oldest
    runtimes = {row.runtime for row in load().deployed.values()}
    assert runtimes == {
        f"python{oldest.replace('.', '')}",
        project["tool"]["ruff"]["target-version"].replace("py", "python"),
    }


def test_the_record_format_is_raised_when_the_record_changes():
    """An older version rejects a record with one more field or kind of event: a rollback must not go behind it."""
    forms = *_form(UserRecord), *(f"ring: {kind} {width}" for kind, width in ring.WIDTHS.items())
    fingerprint = sha256("\n".join(forms).encode()).hexdigest()[:12]
    assert (load().record_format, fingerprint) == (6, "be55feb2b165"), (
        "raise record_format, and note the new pair here"
    )


def _form(type_: Any, at: str = "record") -> Iterator[str]:
    """The paths of the fields of a type and of everything in it, with the names of simple types and of members."""
    fields = get_type_hints(type_) if is_dataclass(type_) or hasattr(type_, "_fields") else {}
    for name, hint in fields.items():
        yield from _form(hint, f"{at}.{name}")
    for part in get_args(type_):
        yield from _form(part, at)
    if not fields and not get_args(type_):
        yield f"{at}: {getattr(type_, '__name__', type_)} {list(getattr(type_, '__members__', ()))}"


def test_the_clock_is_ticked_each_minute():
    assert load().schedules == {"lifecycle-clock": "* * * * *"}


def test_only_the_clock_continues_by_a_message_to_itself():
    functions = load().functions.values()
    assert [f.name for f in functions if f.continues] == ["lifecycle_clock"]
    assert [f.name for f in functions if f.listens in f.publishes] == ["lifecycle_clock"]


def test_a_function_publishes_to_its_own_topic_only_to_continue(table):
    itself = SMALL.replace("{listens: orders}", "{listens: orders, publishes: [orders]}")
    with pytest.raises(InfraError, match="expected no cycle, found orders -> orders"):
        load(table(itself))
    continues = itself.replace("publishes: [orders]", "publishes: [orders], continues: true")
    assert load(table(continues)).functions["take_order"].publishes == ("orders",)


def test_a_row_takes_what_it_does_not_say_from_the_defaults(table):
    function = load(table(SMALL)).functions["take_order"]
    assert (function.name, function.ack_deadline_seconds) == ("take_order", 60)
    assert function.publishes == ("results", "dead-letter")


def test_a_row_wins_over_the_defaults(table):
    text = SMALL.replace("listens: orders", "listens: orders, ack_deadline_seconds: 90")
    assert load(table(text)).functions["take_order"].ack_deadline_seconds == 90


def test_topics_are_told_apart_by_whether_a_function_listens(table):
    topology = load(table(SMALL))
    assert topology.topics_in == ("orders",)
    assert topology.topics_out == ("results", "dead-letter")


def test_a_subscription_leads_to_its_function(table):
    topology = load(table(SMALL))
    assert topology.listener("take-order") is topology.functions["take_order"]
    assert topology.listener("another") is None


def test_every_function_can_be_hurried_at_once(table):
    hurried = with_each_function(load(table(SMALL)), min_backoff_seconds=1)
    assert hurried.functions["take_order"].min_backoff_seconds == 1
    assert hurried.functions["take_order"].max_backoff_seconds == 600


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("{listens: orders}", "{listens: refunds}", "take_order names refunds, which is not under topics"),
        ("[results, dead-letter]", "[result]", "take_order names result, which is not under topics"),
        ("{topic: dead-letter,", "{topic: lost,", "dead_letter names lost"),
        ("schedules: {}", "schedules: {results: '* * * * *'}", "schedules names results, which no function"),
        ("{listens: orders}}", "{listens: orders}, other: {listens: orders}}", "both listen to orders"),
        ("concurrency: 1", "concurency: 1", "functions.take_order.concurency"),
        (
            "concurrency: 1",
            "concurrency: 1\n  concurrency: 2",
            "each key once, found concurrency twice in line 16, column 3",
        ),
        ("runtime: python311", "runtime: python3.11", "functions.take_order.runtime"),
        ("timeout_seconds: 50", "timeout_seconds: 60", "above the timeout_seconds of 60, found 60"),
        ("min_backoff_seconds: 10", "min_backoff_seconds: 601", "functions.take_order.min_backoff_seconds"),
        (
            "max_backoff_seconds: 600",
            "max_backoff_seconds: 5",
            "min_backoff_seconds of at most the max_backoff_seconds",
        ),
        ("min_instances: 0", "min_instances: 2", "min_instances of at most the max_instances of 1, found 2"),
        ("[results, dead-letter]", "[orders, dead-letter]", "expected no cycle, found orders -> orders"),
        (
            "listens: orders}}",
            "listens: orders}, undo: {listens: results, publishes: [orders]}}",
            "expected no cycle",
        ),
        ("schedules: {}", "schedules: {}\non: {}", "found on, which YAML reads as a bool"),
        ("schedules: {}", "schedules: {}\nno_such: {}", "no_such"),
        ("concurrency: 1", "concurrency: many", "functions.take_order.concurrency"),
        ("max_delivery_attempts: 100", "max_delivery_attempts: 101", "max_delivery_attempts"),
        ("topics: {orders: {},", "topics: {Orders!: {},", "Orders!"),
        ("take_order:", "take_an_order_of_a_new_user:", "functions.take_an_order_of_a_new_user"),
        ("schedules: {}", "schedules: [", "topology.yaml: expected YAML, found a mistake in line 22"),
        ("functions: {take_order: {listens: orders}}", "functions: [take_order]", "not a table of mappings"),
    ],
)
def test_a_mistake_in_the_table_is_named(table, before, after, complaint):
    assert before in SMALL
    with pytest.raises(InfraError) as error:
        load(table(SMALL.replace(before, after)))
    assert complaint in str(error.value)


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]"])
def test_a_file_that_is_no_table_is_refused(table, text):
    with pytest.raises(InfraError, match=r"topology\.yaml: expected an object, found"):
        load(table(text))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InfraError, match="cannot read the topology"):
        load(tmp_path / "none.yaml")


def test_an_unknown_name_gets_the_list_of_known_ones():
    with pytest.raises(UsageError, match="unknown topic 'paymnet'; known are: payment, trial-start"):
        known("paymnet", ("payment", "trial-start"), "topic")
