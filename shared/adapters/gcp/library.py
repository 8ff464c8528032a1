"""Scores and policies in Firestore, which data scientists publish without a deploy."""

import logging
from typing import Any

from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import ArtifactLocation, policy_location, score_location
from shared.adapters.gcp.values import from_values
from shared.decisioning.audiences.attributes import fact_names
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.experiments.policy import InvalidPolicy, Policy
from shared.decisioning.library import Library, read_policy
from shared.decisioning.scoring.registry import Registry

log = logging.getLogger(__name__)

Fit = tuple[frozenset[str], tuple[str, ...]]
"""The variants and the segments of an experiment, which its policy must fit."""


class FirestoreLibrary:
    """Loads the scores and policies that a catalog names, before any decision needs them.

    A score artifact never changes, so each is read once. A policy is read again at each refresh of the catalog. An
    invalid policy, or one that does not fit its experiment, never replaces a valid one.
    """

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.artifacts: dict[tuple[str, int], bytes] = {}
        """Score artifacts by name and version."""
        self.reported_missing: set[tuple[str, int]] = set()
        """Scores without an artifact, kept so that each is logged only once."""
        self.policies: dict[str, Policy] = {}
        """The last valid policy by name."""
        self.last_read: dict[str, tuple[object, Fit]] = {}
        """The text of each policy as last read, valid or not, and its experiment's variants and segments then."""
        self.facts = fact_names({})
        """The facts that scores may use: those of the catalog that was loaded last."""
        self.registry = self._new_registry()

    async def load(self, document: CatalogDocument) -> Library:
        """The library with every score and policy that the document names. Raises `Transient` if a read fails."""
        if (facts := fact_names(document.attributes)) != self.facts:
            self.facts = facts
            self.registry = self._new_registry()
        for name, terms in document.scores.items():
            await self._load_score(name, terms.version)
        for experiment in document.experiments.values():
            if experiment.policy:
                variants = frozenset(variant.id for variant in experiment.variants)
                await self._load_policy(experiment.policy, (variants, experiment.segments))
        return Library(self.registry.get, dict(self.policies))

    def _new_registry(self) -> Registry:
        return Registry(lambda name, version: self.artifacts.get((name, version)), self.facts)

    async def _load_score(self, name: str, version: int) -> None:
        if (name, version) in self.artifacts:
            return
        text = await self._read_text(score_location(name, version))
        if isinstance(text, str):
            self.artifacts[name, version] = text.encode()
            self.registry = self._new_registry()  # a registry caches its answers, also that an artifact is missing
        elif (name, version) not in self.reported_missing:
            self.reported_missing.add((name, version))
            log.error("score %s version %d: expected an artifact in Firestore, found none", name, version)

    async def _load_policy(self, name: str, experiment: Fit) -> None:
        text = await self._read_text(policy_location(name))
        if self.last_read.get(name) == (text, experiment):
            return
        self.last_read[name] = text, experiment
        try:
            data = text.encode() if isinstance(text, str) else None
            missing = "policy: expected JSON as text in Firestore, found none"
            self.policies[name] = read_policy(name, data, *experiment, missing)
        except InvalidPolicy as error:
            kept = self.policies.get(name)
            consequence = f"version {kept.version} stays in use" if kept else "its experiments assign nobody"
            log.error("policy %s is invalid; %s: %s", name, consequence, error)  # noqa: TRY400 - not a bug, so no traceback

    async def _read_text(self, location: ArtifactLocation) -> Any:
        path = self.documents.path(location.collection, location.id)
        found = await self.documents.read(path, (location.field,))
        return from_values(found.fields).get(location.field) if found else None
