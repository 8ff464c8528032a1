"""The rules by which an event is processed."""

from dataclasses import dataclass

from shared.decisioning.catalog import Catalog
from shared.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class Rules:
    """The catalog in force and the business terms: everything besides the record that a processing depends on."""

    catalog: Catalog
    terms: Terms
