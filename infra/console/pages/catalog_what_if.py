"""The what-if of another catalog: the last users of the raw log replayed under two catalogs."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.catalog.load import with_library
from infra.console.context import Console
from infra.console.pages.catalog import difference_of
from infra.console.what_if_run import MOST_EVENTS, MOST_SECONDS, Run, Runs
from infra.errors import InfraError, UsageError
from infra.strict_yaml import InvalidYaml, read_yaml
from infra.whatif.page import reason_of
from infra.whatif.users_page import NO_SWITCH, UNSEEN_TEXTS, lines_of
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog

WIDTH = 100
"""The width of a line of a catalog's YAML."""
EXAMPLES = 3
"""Causes of an effect that are listed."""


def routes(console: Console) -> Sequence[Route]:
    """The form, and the page of a study."""
    runs = Runs()

    def form(request: Request) -> Response:
        current = _in_force(console)
        version = request.query_params.get("version")
        try:
            shown = console.sources.catalogs.catalog(version) if version else current
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        return _form(request, current, as_yaml(shown), [])

    async def start(request: Request) -> Response:
        fields = await console.forms.fields_of(request, writes=False)
        return await run_in_threadpool(begin, request, fields.get("catalog", ""))

    def begin(request: Request, text: str) -> Response:
        current = _in_force(console)
        try:
            after = _candidate(console, text)
            name = runs.start(console.sources, current, after)
        except InvalidCatalog as error:
            return _form(request, current, text, error.problems)
        except InfraError as error:
            return _form(request, current, text, [str(error)])
        return RedirectResponse(f"/catalog/what-if/{name}", 303)

    def study(request: Request) -> Response:
        run = runs.get(request.path_params["name"])
        if run is None:
            raise HTTPException(404, "This what-if is no longer kept: run it again.")
        return console.render.page(request, "catalog_study.html", **_values(run))

    def _form(request: Request, current: Catalog, text: str, problems: Sequence[str]) -> Response:
        return console.render.page(
            request,
            "catalog_what_if.html",
            answers=422 if problems else 200,
            version=current.version,
            text=text,
            problems=problems,
            is_logged=console.sources.log is not None,
            most_events=MOST_EVENTS,
            most_seconds=MOST_SECONDS,
        )

    return [
        Route("/catalog/what-if", form),
        Route("/catalog/what-if", start, methods=["POST"]),
        Route("/catalog/what-if/{name}", study),
    ]


def as_yaml(catalog: Catalog) -> str:
    """A catalog as people write it, without what is at its default."""
    document = catalog.document.model_dump(mode="json", exclude_defaults=True)
    return str(yaml.safe_dump(document, sort_keys=False, width=WIDTH, allow_unicode=True))


def _in_force(console: Console) -> Catalog:
    current = console.sources.catalogs.current()
    if current is None or current.catalog is None:
        raise HTTPException(404, "There is no catalog in force that could be compared with another one.")
    return current.catalog


def _candidate(console: Console, text: str) -> Catalog:
    """The catalog that was written. Raises `InvalidCatalog` with every problem."""
    try:
        content = read_yaml(text.encode())
    except InvalidYaml as error:
        raise InvalidCatalog([str(error)]) from error
    return with_library(compile_catalog(content), console.sources.catalogs.artifact, " where the catalogs are")


def _values(run: Run) -> Mapping[str, Any]:
    """The values of a study's page."""
    study = run.result
    changed = {id_: one for id_, one in study.campaigns.items() if one.size} if study else {}
    experiments = {
        id_: [*lines_of(one, with_assigned=False)]
        for id_, one in (study.experiments if study else {}).items()
        if one.changed
    }
    return {
        "run": run,
        "study": study,
        "changed": changed,
        "reason_of": reason_of,
        "experiments": experiments,
        "no_switch": NO_SWITCH,
        "unseen": {id_: UNSEEN_TEXTS[why] for id_, why in (study.unseen if study else {}).items()},
        "most_causes": EXAMPLES,
        **difference_of(run.before, run.after),
    }
