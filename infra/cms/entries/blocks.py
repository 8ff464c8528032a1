"""Parts of an entry that are lists: clauses of audiences and variants of experiments."""

from collections.abc import Sequence
from typing import Any

from wagtail import blocks


class ClauseBlock(blocks.StructBlock):
    """A named CEL clause."""

    name = blocks.CharBlock(max_length=64, help_text="The reason told of users for whom it is not true")
    cel = blocks.TextBlock(
        max_length=1000, rows=2, label="Clause", help_text="CEL: subscription.status == 'active'"
    )

    class Meta:
        """Options of the block."""

        icon = "filter"


class VariantBlock(blocks.StructBlock):
    """One arm of an experiment."""

    id = blocks.CharBlock(max_length=64)
    offer = blocks.CharBlock(max_length=64, required=False, help_text="The id of an offer. Empty: no offer")
    weight = blocks.FloatBlock(min_value=0, max_value=1, required=False, help_text="Empty if a policy decides")

    class Meta:
        """Options of the block."""

        icon = "decimal"


class ClausesBlock(blocks.StreamBlock):
    """Clauses in their order."""

    clause = ClauseBlock()


class VariantsBlock(blocks.StreamBlock):
    """Variants in their order."""

    variant = VariantBlock()


def clauses_as_written(stream: blocks.StreamValue) -> list[dict[str, str]]:
    """The clauses as a catalog has them."""
    return [{block.value["name"]: block.value["cel"]} for block in stream]


def clauses_as_blocks(written: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """The blocks of a catalog's clauses."""
    clauses = [(name, cel) for clause in written for name, cel in clause.items()]
    return [{"type": "clause", "value": {"name": name, "cel": cel}} for name, cel in clauses]


def variants_as_written(stream: blocks.StreamValue) -> list[dict[str, Any]]:
    """The variants as a catalog has them."""
    return [_variant(block.value) for block in stream]


def variants_as_blocks(written: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks of a catalog's variants."""
    return [{"type": "variant", "value": {**variant, "offer": variant.get("offer") or ""}} for variant in written]


def _variant(value: blocks.StructValue) -> dict[str, Any]:
    weight = {} if value["weight"] is None else {"weight": value["weight"]}
    return {"id": value["id"], "offer": value["offer"] or None, **weight}
