"""Writes docs/settings.md: every setting of functions, from shared/settings.py, and those of the command line."""

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from shared.adapters.cms.settings import CmsSettings, ContentfulSettings, WagtailSettings
from shared.domain.terms import Terms
from shared.mail.settings import LinkSettings, MailSettings
from shared.settings import Settings

PAGE = Path(__file__).parents[2] / "docs/settings.md"
OF_THE_COMMAND_LINE = {
    "UPBEAT_STATE_DIR": (
        "`.upbeat` in the repository",
        "The folder in which `up` keeps its state and its raw log.",
    ),
    "UPBEAT_EMULATOR_PORTS": (
        "`8085,8080,8070`",
        "The ports of the Pub/Sub emulator, the Firestore emulator and the console; 0 for any free one.",
    ),
    "UPBEAT_RECORD_FORMAT": (
        "set by Terraform",
        "The format of the documents that a function writes, for `rollback`.",
    ),
    "UPBEAT_BEAM_VENV": (
        "`.venv/beam` in the repository",
        "The virtual environment of Apache Beam, for `--runner beam`.",
    ),
    "UPBEAT_GCLOUD_SDK": ("found by itself", "The folder of the gcloud SDK, if it is in an unusual place."),
}
HEAD = """<!-- Written by `python -m infra.generate.settings_page`. -->
# Settings

All are environment variables, read and checked once at the start: a function with an invalid one does not start,
and names the variable, what was expected, and what was found. Terraform sets those of deployed functions
(`infra/terraform/functions.tf`). `upbeat replay`, `whatif`, `show` and `explain` read the terms of business, too:
set them as they are set for the functions.

## Functions

| variable | default | meaning |
| --- | --- | --- |
"""
MAIL = """
## E-mail

`deliver_email` has these beside those above, and `email_links` has `UPBEAT_MAIL_LINK_KEY`.

| variable | default | meaning |
| --- | --- | --- |
"""
CMS = """
## The function `catalog_sync`

It reads the settings of one CMS: those with `CONTENTFUL` or those with `WAGTAIL` in their names.

| variable | default | meaning |
| --- | --- | --- |
"""
COMMANDS = """
## The command line

| variable | default | meaning |
| --- | --- | --- |
"""
_NAME = re.compile(r"`([A-Z][A-Z_]+)`")


class Setting(NamedTuple):
    """One environment variable."""

    name: str
    default: str
    meaning: str


def page() -> str:
    """The page as Markdown."""
    commands = (Setting(name, *about) for name, about in OF_THE_COMMAND_LINE.items())
    sections = (
        (HEAD, settings()),
        (MAIL, mail_settings()),
        (CMS, cms_settings()),
        (COMMANDS, commands),
    )
    return "".join(head + "".join(map(_row, rows)) for head, rows in sections)


def settings() -> Iterator[Setting]:
    """Every setting of a function, in the order of the code."""
    defaults, terms = Settings(project=""), Terms()
    meanings = _field_docs(Settings)
    for field, text in meanings.items():
        if field == "terms":
            yield from _terms(text, terms)
            continue
        default = getattr(defaults, field)
        if "_MILLISECONDS`" in text:  # the code counts in seconds
            default = round(default * 1000)
        yield _setting(text, "required" if field == "project" else _shown(default))


def mail_settings() -> Iterator[Setting]:
    """Every setting of the functions for e-mail, in the order of the code."""
    yield from _fields(LinkSettings, MailSettings)


def cms_settings() -> Iterator[Setting]:
    """Every setting of the sync from a CMS that other functions do not have, in the order of the code."""
    for setting in _fields(CmsSettings, ContentfulSettings, WagtailSettings):
        if setting.name == "UPBEAT_CMS":
            yield setting._replace(default="`contentful`")
        elif setting.name != "GOOGLE_CLOUD_PROJECT":
            yield setting


def _fields(*classes: type) -> Iterator[Setting]:
    for of in classes:
        defaults = {each.name: each.default for each in fields(of)}
        for name, text in _field_docs(of).items():
            yield _setting(text, "required" if defaults[name] is MISSING else _shown(defaults[name]))


def _terms(text: str, terms: Terms) -> Iterator[Setting]:
    """The terms of business: `UPBEAT_GRACE_DAYS` is the field `grace` in days."""
    meanings = _field_docs(Terms)
    for name in _NAME.findall(text):
        field, unit = name.removeprefix("UPBEAT_").lower().rsplit("_", 1)
        number = getattr(terms, field) / timedelta(**{unit: 1})
        yield Setting(name, f"`{number:g}`", f"In {unit}: {meanings[field][:1].lower()}{meanings[field][1:]}")


def _setting(text: str, default: str) -> Setting:
    """The setting that a sentence begins with."""
    (name,) = _NAME.findall(text)[:1]
    meaning = re.sub(rf"^`{name}`(, )?(: )?", "", text)
    return Setting(name, default, meaning[:1].upper() + meaning[1:])


def _field_docs(of: type) -> Mapping[str, str]:
    """The sentences under the fields of a class, each on one line."""
    docs = {}
    for field, doc in pairwise(ast.parse(inspect.getsource(of)).body[0].body):  # type: ignore[attr-defined]
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
            docs[ast.unparse(field.target)] = " ".join(str(doc.value.value).split())
    return docs


def _shown(default: object) -> str:
    if default is None:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _row(setting: Setting) -> str:
    return f"| `{setting.name}` | {setting.default} | {setting.meaning} |\n"


def main() -> int:
    """Write the page, or with `--check` say whether it differs from the code; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.generate.settings_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the page differs")
    if not parser.parse_args().check:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() == page():
        return 0
    print("docs/settings.md differs from the code: run python -m infra.generate.settings_page", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
