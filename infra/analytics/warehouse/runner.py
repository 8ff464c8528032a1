"""Builds the models: finds what changed, and replaces exactly the partitions that differ.

Each partition of a table has a fingerprint and the number of the run in which it last changed. A model is built
again only if a partition of an input changed after the run that the model last took in. An incremental model is
then computed from the earliest of those days, less its lookback. Its partitions are compared with what they were,
and those that differ are replaced in one transaction with what is remembered of them: a killed run leaves every
table as one run or the next one has it, and the next run goes on from there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from infra.analytics.warehouse.engine import Day, Engine, State
from infra.analytics.warehouse.header import InvalidModel
from infra.analytics.warehouse.models import Model, chosen, full_key, stored_inputs

FIRST_DAY = date(1990, 1, 1)
"""No message is older: the contracts take no earlier time."""
EMPTY = "empty"
"""The fingerprint of a partition whose rows are gone."""
COUNTS = (
    "SELECT DATE(publish_time) AS day, COUNT(*) AS number FROM {table} WHERE publish_time >= @since GROUP BY day"
)


class Built(NamedTuple):
    """The work of a run on a model."""

    name: str
    action: str
    """`unchanged`, `view`, `rebuilt` or `replaced`."""
    since: Day
    """The first day that was computed; None for the whole."""
    days: list[Day]
    """The partitions that changed; [None] for a table without any."""


class Run:
    """One run over the models of a warehouse."""

    def __init__(self, engine: Engine, models: Mapping[str, Model]) -> None:
        self._engine = engine
        self._models = models
        self._states = {state.table: state for state in engine.recall()}
        self._relations = engine.relations()
        numbers = (state.seen for state in self._states.values() if not state.table.startswith("file:"))
        self._number = 1 + max(numbers, default=0)

    def build(self, names: list[str], *, full_refresh: bool = False) -> Iterator[Built]:
        """Build models in this order, each when the iterator gets to it."""
        self._take_in_landed(names)
        for name in names:
            yield self._build(self._models[name], full_refresh=full_refresh)

    def _take_in_landed(self, names: list[str]) -> None:
        """Note the days of landed tables whose number of messages changed. Nothing is ever landed and removed."""
        read = {
            table for name in names for table in stored_inputs(name, self._models) if table not in self._models
        }
        if missing := sorted(read - self._relations):
            raise InvalidModel(f"expected landed tables, found no {', '.join(missing)}: upbeat warehouse load DIR")
        changed = [state for state in map(self._counted, sorted(read)) if state is not None]
        if changed:
            self._engine.remember(changed)
            for state in changed:
                self._states[state.table] = _merged(self._states.get(state.table), state)

    def _counted(self, table: str) -> State | None:
        """The days of a landed table that changed; None if none did."""
        known = self._partitions(table)
        counted = self._engine.rows(COUNTS.format(table=table), since=datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC))
        changed = {
            row["day"]: (str(row["number"]), self._number)
            for row in counted
            if known.get(row["day"], ("", 0))[0] != str(row["number"])
        }
        return State(table, "", self._number, changed) if changed or table not in self._states else None

    def _build(self, model: Model, *, full_refresh: bool) -> Built:
        key = full_key(model.name, self._models)
        state = self._states.get(model.name)
        fresh = state is None or state.key != key or model.name not in self._relations
        if model.is_view:
            return self._view(model, key, fresh=fresh or full_refresh)
        changed = self._changed_inputs(model)
        if not (fresh or full_refresh or changed):
            return Built(model.name, "unchanged", None, [])
        if fresh or full_refresh or not model.is_incremental or None in changed:
            since = FIRST_DAY
        else:
            lookback = timedelta(days=model.header.lookback or 0)
            since = max(FIRST_DAY, min(day for day in changed if day) - lookback)
        since, found = self._stage(model, since)
        built = self._replace(model, key, since, found, whole=fresh or full_refresh)
        self._engine.forget(model.name)
        return built

    def _view(self, model: Model, key: str, *, fresh: bool) -> Built:
        if not fresh:
            return Built(model.name, "unchanged", None, [])
        self._engine.create_view(model.name, model.sql, model.header, State(model.name, key, self._number, {}))
        return Built(model.name, "view", None, [])

    def _changed_inputs(self, model: Model) -> set[Day]:
        """The partitions of inputs that changed after the run that the model last took in."""
        seen = self._states[model.name].seen if model.name in self._states else 0
        inputs = stored_inputs(model.name, self._models)
        return {day for name in inputs for day, (_, changed) in self._partitions(name).items() if changed > seen}

    def _stage(self, model: Model, since: date) -> tuple[date, dict[Day, str]]:
        """Compute a model from a day on: that day, and the fingerprints of the partitions from then on.

        Rows of earlier partitions show how far back the changed inputs reach: from the first of them on, the model
        is computed once more. What is then still earlier comes of inputs that have not changed.
        """
        found = self._staged(model, since)
        earlier = [day for day in found if day and day < since]
        if earlier and since > FIRST_DAY:
            since = max(FIRST_DAY, min(earlier))
            found = self._staged(model, since)
        first = date.min if since == FIRST_DAY else since
        return since, {day: digest for day, digest in found.items() if day is None or day >= first}

    def _staged(self, model: Model, since: date) -> dict[Day, str]:
        self._engine.stage(model.name, model.sql, model.header, since=since)
        return self._engine.fingerprints(model.name, model.header.partition)

    def _replace(self, model: Model, key: str, since: date, found: Mapping[Day, str], *, whole: bool) -> Built:
        """Replace the partitions that differ from what they were."""
        first = date.min if since == FIRST_DAY else since
        known = {
            day: digest
            for day, (digest, _) in self._partitions(model.name).items()
            if digest != EMPTY and (day is None or day >= first)
        }
        differ = {day for day in {*found, *known} if known.get(day) != found.get(day)}
        days = sorted(differ, key=lambda day: day or date.min)
        state = State(model.name, key, self._number, {day: (found.get(day, EMPTY), self._number) for day in days})
        everything = whole or bool(days and not model.is_incremental)
        self._engine.replace(model.name, model.header, None if everything else days, state)
        self._states[model.name] = _merged(self._states.get(model.name), state)
        self._relations |= {model.name}
        action = "rebuilt" if everything else "replaced" if days else "unchanged"
        return Built(model.name, action, None if since == FIRST_DAY else since, days)

    def _partitions(self, table: str) -> Mapping[Day, tuple[str, int]]:
        state = self._states.get(table)
        return state.partitions if state else {}


def _merged(before: State | None, after: State) -> State:
    """A state with the partitions of the one before that it does not name."""
    return after._replace(partitions={**(before.partitions if before else {}), **after.partitions})


def run(
    engine: Engine,
    models: Mapping[str, Model],
    select: Iterable[str] = (),
    *,
    full_refresh: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[Built]:
    """Build all models, or the selected ones, in order. Raises `InvalidModel` and `WarehouseError`."""
    names = list(chosen(models, select))
    for number, built in enumerate(Run(engine, models).build(names, full_refresh=full_refresh), 1):
        progress(number / len(names))
        yield built
