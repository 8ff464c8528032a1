"""The part of a rebuild that any process can do: the documents of one bucket of users."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import orjson

from infra.raw.by_user import TopicFile, read_users
from infra.rebuild.rebuilt import rebuilt
from shared.adapters.packed_records import document_of
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.terms import Terms
from shared.ports import Document
from shared.processing.rules import Rules
from shared.queries.past_log import Logged
from shared.record.bounds import fit


@dataclass(frozen=True, slots=True)
class Deployment:
    """The settings of a rebuild, in a form that processes can send to each other."""

    catalog: str
    """The catalog in force as JSON, without the scores and policies that it names."""
    number: int
    """The number of its publication; 0 if it has none."""
    terms: Terms
    process_sandbox: bool = False
    """True if events of test environments count like others (`UPBEAT_PROCESS_SANDBOX`)."""

    @property
    def rules(self) -> Rules:
        """The rules by which it is said when a user is due next."""
        return Rules(_catalog(self.catalog, self.number), self.terms)


@lru_cache(maxsize=1)
def _catalog(content: str, number: int) -> Catalog:
    return replace(compile_catalog(orjson.loads(content)), number=number)


class Bucket(NamedTuple):
    """Some users, and where the messages about them are."""

    files: Sequence[TopicFile]
    places: Sequence[int]
    deployment: Deployment


class Made(NamedTuple):
    """The document of one user, made again."""

    user_id: str
    document: Document | None
    """None for a user of whom nothing was kept."""
    counts: Counter[str]
    gaps: tuple[str, ...]
    is_out_of_order: bool


def nothing(user_id: str) -> Made:
    """The result for a user about whom the log has no message."""
    return Made(user_id, None, Counter(), (), is_out_of_order=False)


def make(bucket: Bucket) -> list[Made]:
    """The documents of the users in a bucket, in the order of their ids. Raises `OSError`."""
    users = read_users(bucket.files, bucket.places)
    return [made_of(user_id, logged, bucket.deployment) for user_id, logged in users]


def made_of(user_id: str, logged: Sequence[Logged], deployment: Deployment) -> Made:
    """The document of a user whom these messages are about, by publish time, each once."""
    rules = deployment.rules
    again = rebuilt(user_id, logged, rules, process_sandbox=deployment.process_sandbox)
    document = document_of(fit(again.record, rules.terms)[0]) if again.record else None
    return Made(user_id, document, Counter(again.counts), again.gaps, again.is_out_of_order)
