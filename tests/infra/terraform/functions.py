"""The rule for functions and services: what reaches them, and that each variable of their environment is read."""

import inspect
import py_compile
from collections.abc import Iterator, Mapping
from pathlib import Path

import functions_framework

from infra.deploy.cloud_run import FORMAT_VARIABLE
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.topology import DeployedRow, Topology
from shared.adapters.cms.settings import SIGNING_SECRET_CHARACTERS, read_cms_settings
from shared.settings import read_settings
from tests.infra.terraform.resources import Resource, differences, of_type

FRAMEWORK = "".join(path.read_text() for path in Path(functions_framework.__file__).parent.glob("*.py"))
SECRET = "x" * SIGNING_SECRET_CHARACTERS
"""The value of every secret that a function is given."""
COMPILER = inspect.getsource(py_compile)


def function_problems(found: list[Resource], topology: Topology) -> Iterator[str]:
    """Sentences about functions that differ from their row, are open, or have a name that nobody reads."""
    functions = {each.key or "": each.values for each in of_type(found, "google_cloudfunctions2_function")}
    yield from differences(sorted(deployed(found, topology)), sorted(functions), "functions")
    for name, values in functions.items():
        (service,), (build,) = values["service_config"], values["build_config"]
        ingress = "ALLOW_INTERNAL_ONLY" if name in topology.functions else "ALLOW_ALL"
        if service["ingress_settings"] != ingress:
            yield f"{name}: expected {ingress}, found {service['ingress_settings']}"
        if values["event_trigger"]:
            yield f"{name}: expected no event trigger, whose subscription Terraform cannot set"
        yield from environment_problems(name, service, build)


def deployed(found: list[Resource], topology: Topology) -> dict[str, DeployedRow]:
    """The rows that are deployed from a zip: the webhooks are, where a CMS is named."""
    has_cms = bool(of_type(found, "google_cloud_run_v2_service_iam_member", "webhook"))
    return {**topology.deployed, **(topology.webhooks if has_cms else {})}


def environment_problems(name: str, service: Mapping, build: Mapping) -> Iterator[str]:
    """Sentences about environment variables that nobody reads, or that let the framework take the loggers away."""
    secrets = {each["key"] for each in service["secret_environment_variables"]}
    given = service["environment_variables"]
    read = names_of_settings(given | dict.fromkeys(secrets, SECRET))
    for variable in sorted({*given, *secrets}):
        if variable not in {*read, FORMAT_VARIABLE} and f'"{variable}"' not in FRAMEWORK:
            yield f"{name}: expected a variable that settings, framework or rollback read, found {variable}"
    for variable in sorted(build["environment_variables"]):
        if f'"{variable}"' not in COMPILER and f"'{variable}'" not in COMPILER:
            yield f"{name}: expected a build variable that the compiler reads, found {variable}"
    yield from differences(CLOUD_ENVIRONMENT, {key: given.get(key) for key in CLOUD_ENVIRONMENT}, name)


class _Environment(dict[str, str]):
    """An environment that remembers the names that were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def names_of_settings(given: Mapping[str, str]) -> set[str]:
    """The names that the settings read; raises `InvalidSettings` if they refuse a value."""
    environment = _Environment(given)
    read_settings(environment)
    if "UPBEAT_CMS" in given:
        read_cms_settings(environment)
    return environment.asked
