"""Scores and policies in Firestore, which data scientists publish without a deploy."""

import logging
from typing import Any

from google.cloud.firestore import AsyncClient

from shared.adapters.gcp.paths import ArtifactLocation, policy_location, score_location
from shared.adapters.gcp.rpc import RECONNECT
from shared.decisioning.audiences.facts import FACTS
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.experiments.policy import InvalidPolicy, Policy
from shared.decisioning.library import Library, read_policy
from shared.decisioning.scoring.registry import Registry

log = logging.getLogger(__name__)

Variants = frozenset[str]


class FirestoreLibrary:
    """What a catalog names, brought here before a decision asks for it.

    An artifact never changes, so each is read once. A policy is read again with each look at the catalog; one that
    is invalid, or does not fit the experiment, never replaces a good one.
    """

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.artifacts: dict[tuple[str, int], bytes] = {}
        self.missing: set[tuple[str, int]] = set()
        """Artifacts that were looked for in vain, so that this is logged once."""
        self.policies: dict[str, Policy] = {}
        self.found: dict[str, tuple[object, Variants]] = {}
        """What was last found of each policy, valid or not, and for which variants."""
        self.registry = self._new_registry()

    async def of(self, document: CatalogDocument) -> Library:
        """The library with all that the document names. Raises what the client raises."""
        for name, terms in document.scores.items():
            await self._bring_score(name, terms.version)
        for experiment in document.experiments.values():
            if experiment.policy:
                variants = frozenset(variant.id for variant in experiment.variants)
                await self._bring_policy(experiment.policy, variants)
        return Library(self.registry.get, dict(self.policies))

    def _new_registry(self) -> Registry:
        return Registry(lambda name, version: self.artifacts.get((name, version)), FACTS)

    async def _bring_score(self, name: str, version: int) -> None:
        if (name, version) in self.artifacts:
            return
        text = await self._text(score_location(name, version))
        if isinstance(text, str):
            self.artifacts[name, version] = text.encode()
            self.registry = self._new_registry()
        elif (name, version) not in self.missing:
            self.missing.add((name, version))
            log.error("score %s version %d: expected an artifact in Firestore, found none", name, version)

    async def _bring_policy(self, name: str, variants: Variants) -> None:
        text = await self._text(policy_location(name))
        if self.found.get(name) == (text, variants):
            return
        self.found[name] = text, variants
        try:
            data = text.encode() if isinstance(text, str) else None
            missing = "policy: expected JSON as text in Firestore, found none"
            self.policies[name] = read_policy(name, data, variants, missing)
        except InvalidPolicy as error:
            kept = self.policies.get(name)
            said = f"version {kept.version} stays in use" if kept else "its experiments assign nobody"
            log.error("policy %s is refused; %s: %s", name, said, error)  # noqa: TRY400 - no bug of ours, so no trace

    async def _text(self, location: ArtifactLocation) -> Any:
        document = self.client.collection(location.collection).document(location.id)
        snapshot = await document.get([location.field], retry=RECONNECT)
        return (snapshot.to_dict() or {}).get(location.field)
