"""The lifts of a raw log's experiments and holdouts, by a warehouse that is built for it and then forgotten."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.analytics.experiments.definition import NoControl, published
from infra.analytics.experiments.report import Asked, Report, report
from infra.analytics.warehouse.engine import Engine, open_engine
from infra.analytics.warehouse.load import load
from infra.analytics.warehouse.models import read_models
from infra.analytics.warehouse.runner import run
from infra.errors import UsageError
from infra.topology import load as load_topology

MODELS = ("experiments", "exposures", "metrics")
"""The rows that a report reads."""
LOADING = 0.3
"""The share of the work that loading is."""


class Lift(NamedTuple):
    """An experiment or holdout, with its report or the reason why there is none."""

    id: str
    report: Report | None
    problem: str | None


def lifts(
    raw: Path, metrics: tuple[str, ...] = (), progress: Callable[[float], None] = lambda _: None
) -> list[Lift]:
    """Every experiment and holdout of a raw log's catalogs, by id. `metrics` replace the goals of the catalogs."""
    with _built(raw, progress) as engine:
        return [_lift(engine, id_, metrics) for id_ in sorted(published(engine))]


@contextmanager
def _built(raw: Path, progress: Callable[[float], None]) -> Iterator[Engine]:
    with (
        TemporaryDirectory(prefix="upbeat-report-") as folder,
        open_engine(str(Path(folder) / "report.duckdb")) as engine,
    ):
        load(engine, raw, tuple(load_topology().topics), lambda share: progress(LOADING * share))
        select = [f"+{name}" for name in MODELS]
        for _ in run(
            engine, read_models(), select, progress=lambda share: progress(LOADING + (1 - LOADING) * share)
        ):
            pass
        yield engine


def _lift(engine: Engine, id_: str, metrics: tuple[str, ...]) -> Lift:
    try:
        return Lift(id_, report(engine, id_, Asked(metrics=metrics)), None)
    except NoControl as error:
        return Lift(id_, None, f"{error}. Name one: upbeat experiment report {id_} --control VARIANT")
    except UsageError as error:
        return Lift(id_, None, str(error))
