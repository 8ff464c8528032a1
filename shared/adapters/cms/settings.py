"""Settings of the function that syncs the catalog from a CMS, read from environment variables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.settings import InvalidSettings, read_flag

SIGNING_SECRET_CHARACTERS = 64
"""The length of the secrets with which Contentful signs."""
MIN_SECRET = 32
"""The least length of a secret with which the Wagtail site signs."""


@dataclass(frozen=True, slots=True)
class ContentfulSettings:
    """The settings of a space in Contentful."""

    space: str
    """`UPBEAT_CONTENTFUL_SPACE`: the id of the space."""
    token: str = field(repr=False)
    """`UPBEAT_CONTENTFUL_TOKEN`, a secret: the access token of the Content Delivery API."""
    secret: str = field(repr=False)
    """`UPBEAT_CONTENTFUL_SECRET`, a secret of 64 characters: the one with which Contentful signs its webhooks."""
    environment: str = "master"
    """`UPBEAT_CONTENTFUL_ENVIRONMENT`: the environment of the space."""
    locale: str = "en-US"
    """`UPBEAT_CONTENTFUL_LOCALE`: the locale whose values make the catalog."""
    url: str = "https://cdn.contentful.com"
    """`UPBEAT_CONTENTFUL_URL`: the address of the Content Delivery API; https, or http on this machine."""


@dataclass(frozen=True, slots=True)
class WagtailSettings:
    """The settings of a Wagtail site."""

    url: str
    """`UPBEAT_WAGTAIL_URL`: the address of the site; https, or http on this machine."""
    token: str = field(repr=False)
    """`UPBEAT_WAGTAIL_TOKEN`, a secret: the token with which the site lets its entries be read."""
    secret: str = field(repr=False)
    """`UPBEAT_WAGTAIL_SECRET`, a secret of at least 32 characters: the one that signs the site's webhooks."""


@dataclass(frozen=True, slots=True)
class CmsSettings:
    """All settings of the function."""

    project: str
    """`GOOGLE_CLOUD_PROJECT`: the Google Cloud project that holds Firestore and Pub/Sub."""
    cms: ContentfulSettings | WagtailSettings
    """`UPBEAT_CMS`, `contentful` or `wagtail`: the CMS; only its own settings are read."""
    needs_approval: bool = False
    """`UPBEAT_CATALOG_APPROVAL`, `true` or `false`: a catalog goes in force only once somebody else than its
    authors has approved it. The commands of the catalog read it as well."""


def read_cms_settings(environ: Mapping[str, str]) -> CmsSettings:
    """The settings in an environment. Raises `InvalidSettings`, without the value of a secret."""
    readers: Mapping[str, Callable[[Mapping[str, str]], ContentfulSettings | WagtailSettings]]
    readers = {"contentful": _contentful, "wagtail": _wagtail}
    name = environ.get("UPBEAT_CMS") or "contentful"
    if name not in readers:
        raise InvalidSettings(f"UPBEAT_CMS: expected one of {', '.join(readers)}, found {name!r}")
    return CmsSettings(
        project=_required(environ, "GOOGLE_CLOUD_PROJECT", "the id of a Google Cloud project"),
        cms=readers[name](environ),
        needs_approval=read_flag(environ, "UPBEAT_CATALOG_APPROVAL"),
    )


def _contentful(environ: Mapping[str, str]) -> ContentfulSettings:
    defaults = ContentfulSettings("", "", "")
    secret = _required(environ, "UPBEAT_CONTENTFUL_SECRET", "the signing secret of the webhooks")
    if len(secret) != SIGNING_SECRET_CHARACTERS:
        expected = f"{SIGNING_SECRET_CHARACTERS} characters"
        raise InvalidSettings(f"UPBEAT_CONTENTFUL_SECRET: expected {expected}, found {len(secret)}")
    return ContentfulSettings(
        space=_required(environ, "UPBEAT_CONTENTFUL_SPACE", "the id of a space"),
        token=_token(environ, "UPBEAT_CONTENTFUL_TOKEN", "a token of the Content Delivery API"),
        secret=secret,
        environment=environ.get("UPBEAT_CONTENTFUL_ENVIRONMENT") or defaults.environment,
        locale=environ.get("UPBEAT_CONTENTFUL_LOCALE") or defaults.locale,
        url=_address("UPBEAT_CONTENTFUL_URL", environ.get("UPBEAT_CONTENTFUL_URL") or defaults.url),
    )


def _wagtail(environ: Mapping[str, str]) -> WagtailSettings:
    secret = _required(environ, "UPBEAT_WAGTAIL_SECRET", "the signing secret of the webhooks")
    if len(secret) < MIN_SECRET:
        expected = f"at least {MIN_SECRET} characters"
        raise InvalidSettings(f"UPBEAT_WAGTAIL_SECRET: expected {expected}, found {len(secret)}")
    return WagtailSettings(
        url=_address("UPBEAT_WAGTAIL_URL", _required(environ, "UPBEAT_WAGTAIL_URL", "the address of the site")),
        token=_token(environ, "UPBEAT_WAGTAIL_TOKEN", "the token of the site's entries"),
        secret=secret,
    )


def _address(name: str, given: str) -> str:
    """An address without a slash at its end."""
    if not re.fullmatch(r"(https://[^/?#\s]|http://(localhost|127\.0\.0\.1)(?=[:/]|$))[^?#\s]*", given):
        raise InvalidSettings(f"{name}: expected an address with https, found {given!r}")
    return given.rstrip("/")


def _token(environ: Mapping[str, str], name: str, expected: str) -> str:
    """A token that can stand in a header."""
    token = _required(environ, name, expected)
    if not re.fullmatch(r"[!-~]+", token):
        raise InvalidSettings(f"{name}: expected {expected}, found characters that none has, such as spaces")
    return token


def _required(environ: Mapping[str, str], name: str, expected: str) -> str:
    if value := environ.get(name):
        return value
    raise InvalidSettings(f"{name}: expected {expected}, found nothing")
