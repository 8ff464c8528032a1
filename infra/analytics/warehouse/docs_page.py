"""A page about all models: columns, lineage and assertions, in Markdown."""

from collections.abc import Iterator, Mapping

from infra.analytics.warehouse.checks import standard
from infra.analytics.warehouse.models import Model, in_order

INTRODUCTION = """# Models of the warehouse

Written by `upbeat warehouse docs` from the headers in `infra/analytics/sql/`. How to use and write them:
[warehouse.md](warehouse.md).
"""


def page(models: Mapping[str, Model]) -> str:
    """The whole page."""
    parts = [INTRODUCTION, _lineage(models), *(_section(model, models) for model in models.values())]
    return "\n".join(parts)


def _lineage(models: Mapping[str, Model]) -> str:
    """A table of what reads what, in the order in which models are built."""
    rows = [f"| {_link(name)} | {_links(models[name].inputs, models)} |" for name in in_order(_inputs(models))]
    return "\n".join(["## Lineage", "", "| model | reads |", "| --- | --- |", *rows, ""])


def _inputs(models: Mapping[str, Model]) -> dict[str, frozenset[str]]:
    return {name: model.inputs for name, model in models.items()}


def _section(model: Model, models: Mapping[str, Model]) -> str:
    readers = [name for name, other in models.items() if model.name in other.inputs]
    lines = [
        f"## {model.name}",
        "",
        model.header.description,
        "",
        *(f"- {fact}" for fact in _facts(model)),
        f"- Reads {_links(model.inputs, models)}.",
        *([f"- Read by {_links(readers, models)}."] if readers else []),
        "",
        "| column | meaning |",
        "| --- | --- |",
        *(f"| `{name}` | {_cell(sentence)} |" for name, sentence in model.header.columns.items()),
        "",
    ]
    asserted = [f"- {_cell(each.expected)}" for each in standard(model, models)]
    return "\n".join([*lines, *(["Asserted:", "", *asserted, ""] if asserted else [])])


def _facts(model: Model) -> Iterator[str]:
    header = model.header
    partition = f", a partition for each `{header.partition}`" if header.partition and not model.is_view else ""
    lookback = f", lookback {header.lookback} days" if header.lookback is not None else ""
    yield f"Stored as {header.materialized.value}{partition}{lookback}."
    if header.require_partition_filter:
        yield f"A query must compare `{header.partition}` with a constant."


def _links(names: frozenset[str] | list[str], models: Mapping[str, Model]) -> str:
    return ", ".join(_link(name) if name in models else f"`{name}`" for name in sorted(names)) or "nothing"


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
