"""E-mail, where it is asked for: who is public, who has which secret, and that each variable is read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.topology import load
from shared.mail.settings import read_link_settings, read_mail_settings
from tests.infra.terraform.functions import CLOUD_ENVIRONMENT
from tests.infra.terraform.offline import Applied
from tests.infra.terraform.resources import Resource, changes, of_type, resources

EMAIL = 'email = { host = "smtp.example.com", user = "upbeat", sender = "Example <offers@example.com>" }\n'
PUSHED, PUBLIC = "deliver-email", "email-links"


@pytest.fixture(scope="module")
def planned(stub: Applied, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The plan that switches e-mail on in the applied environment."""

    def change(tree: Path) -> None:
        with (tree / "terraform" / "env" / "dev.tfvars").open("a") as variables:
            variables.write(EMAIL)

    outcome = stub.plan(change, tmp_path_factory.mktemp("email"))
    assert outcome.plan, outcome.errors
    return outcome.plan


@pytest.fixture(scope="module")
def found(planned: dict) -> list[Resource]:
    return resources(planned)


def services(found: list[Resource]) -> Mapping[str, Mapping]:
    """What runs each of the two functions, by its name."""
    made = [
        each for name in ("consumer", "links") for each in of_type(found, "google_cloudfunctions2_function", name)
    ]
    return {each.values["name"]: each.values["service_config"][0] for each in made}


def secrets(service: Mapping) -> dict[str, str]:
    return {each["key"]: each["secret"] for each in service["secret_environment_variables"]}


def test_without_it_there_is_none(applied: list[Resource]) -> None:
    assert services(applied) == {}
    assert of_type(applied, "google_service_account", "email") == []


def test_to_switch_it_on_only_creates(planned: dict) -> None:
    assert {tuple(actions) for actions in changes(planned).values()} == {("create",)}


def test_only_the_links_are_public_and_they_lack_the_password(found: list[Resource]) -> None:
    running = services(found)
    assert {name: each["ingress_settings"] for name, each in running.items()} == {
        PUSHED: "ALLOW_INTERNAL_ONLY",
        PUBLIC: "ALLOW_ALL",
    }
    public = [each.values["name"] for each in found if each.values.get("member") == "allUsers"]
    assert public == [PUBLIC]
    key = {"UPBEAT_MAIL_LINK_KEY": "upbeat-mail-link-key"}
    assert secrets(running[PUBLIC]) == key
    assert secrets(running[PUSHED]) == key | {"UPBEAT_SMTP_PASSWORD": "upbeat-smtp-password"}


def test_each_variable_is_read_and_accepted(found: list[Resource]) -> None:
    for name, service in services(found).items():
        given = {key: value for key, value in service["environment_variables"].items() if value}
        whole = {"UPBEAT_MAIL_LINKS": "https://links"} | given | dict.fromkeys(secrets(service), "x" * 32)
        read_link_settings(whole | {"K_SERVICE": name})
        assert given.items() >= CLOUD_ENVIRONMENT.items()
        if name == PUSHED:
            settings = read_mail_settings(whole | {"K_SERVICE": name})
            assert (settings.host, settings.port, settings.user) == ("smtp.example.com", 587, "upbeat")
            assert settings.sender.addr_spec == "offers@example.com"


def test_the_subscription_is_that_of_the_row(found: list[Resource]) -> None:
    row = load().consumers["deliver_email"]
    (subscription,) = of_type(found, "google_pubsub_subscription", "consumer")
    values = subscription.values
    assert (values["name"], values["filter"]) == (row.subscription, row.filter)
    assert values["topic"].rpartition("/")[2] == row.listens
    assert values["ack_deadline_seconds"] == row.ack_deadline_seconds
    assert values["dead_letter_policy"][0]["max_delivery_attempts"] == row.max_delivery_attempts


def test_the_mails_are_forgotten(found: list[Resource]) -> None:
    fields = (each.values for each in of_type(found, "google_firestore_field") if each.values["ttl_config"])
    assert ("mails", "forget_at") in {(values["collection"], values["field"]) for values in fields}


def test_the_accounts_have_what_they_need_and_nothing_else(found: list[Resource]) -> None:
    """A plan does not know the names of accounts that it makes, so that the keys of grants are read."""
    made = {(each.type, each.name, each.key) for each in found if each.type.endswith("_iam_member")}
    granted = {(name, key) for _, name, key in made if name.startswith(("email", "links", "consumer"))}
    assert granted == {
        ("email", "deliver_email/upbeat-mail-link-key"),
        ("email", "deliver_email/upbeat-smtp-password"),
        ("email", "email_links/upbeat-mail-link-key"),
        ("email", "deliver_email/trigger-feedback"),
        ("email", "deliver_email/dead-letter"),
        ("email", "email_links/trigger-feedback"),
        ("email_deployer", "deliver_email"),
        ("email_deployer", "email_links"),
        ("email_documents", "deliver_email"),
        ("email_documents", "email_links"),
        ("links", "email_links"),
        ("consumer_push", "deliver_email"),
        ("consumer_agent", "deliver_email"),
    }
