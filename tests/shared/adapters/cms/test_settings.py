"""The settings of the sync from a CMS: only those of the CMS that is named, and never a secret in a message."""

import pytest

from shared.adapters.cms.settings import ContentfulSettings, WagtailSettings, read_cms_settings
from shared.settings import InvalidSettings
from tests.support import contentful, wagtail

PROJECT = {"GOOGLE_CLOUD_PROJECT": "p"}
CONTENTFUL = PROJECT | {
    "UPBEAT_CONTENTFUL_SPACE": "space1",
    "UPBEAT_CONTENTFUL_TOKEN": contentful.TOKEN,
    "UPBEAT_CONTENTFUL_SECRET": contentful.SECRET,
}
WAGTAIL = PROJECT | {
    "UPBEAT_CMS": "wagtail",
    "UPBEAT_WAGTAIL_URL": "https://cms.example.com/shop/",
    "UPBEAT_WAGTAIL_TOKEN": wagtail.TOKEN,
    "UPBEAT_WAGTAIL_SECRET": wagtail.SECRET,
}


def test_contentful_is_the_cms_where_none_is_named():
    settings = read_cms_settings(CONTENTFUL)
    assert settings.cms == ContentfulSettings("space1", contentful.TOKEN, contentful.SECRET)
    assert settings == read_cms_settings(CONTENTFUL | {"UPBEAT_CMS": "contentful"})
    assert not settings.needs_approval


def test_wagtail_needs_nothing_of_contentful():
    settings = read_cms_settings(WAGTAIL | {"UPBEAT_CATALOG_APPROVAL": "true"})
    assert settings.cms == WagtailSettings("https://cms.example.com/shop", wagtail.TOKEN, wagtail.SECRET)
    assert settings.needs_approval


@pytest.mark.parametrize("given", [CONTENTFUL, WAGTAIL], ids=["contentful", "wagtail"])
def test_no_text_of_the_settings_tells_a_secret(given):
    told = repr(read_cms_settings(given))
    secrets = (contentful.SECRET, contentful.TOKEN, wagtail.SECRET, wagtail.TOKEN)
    assert not any(secret in told for secret in secrets)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        *((CONTENTFUL, name, "") for name in CONTENTFUL),
        *((WAGTAIL, name, "") for name in WAGTAIL if name != "UPBEAT_CMS"),
        (WAGTAIL, "UPBEAT_CMS", "strapi"),
        (WAGTAIL, "UPBEAT_CATALOG_APPROVAL", "yes"),
        (CONTENTFUL, "UPBEAT_CONTENTFUL_SECRET", contentful.SECRET[:-1]),
        (WAGTAIL, "UPBEAT_WAGTAIL_SECRET", "x" * 31),
        (WAGTAIL, "UPBEAT_WAGTAIL_TOKEN", "a-token-with-its-newline\n"),
        (CONTENTFUL, "UPBEAT_CONTENTFUL_TOKEN", "delivery token"),
        *(
            (WAGTAIL, "UPBEAT_WAGTAIL_URL", url)
            for url in (
                *("http://cms.example.com", "file:///etc/passwd", "https://", "https:///x", "cms.example.com"),
                *("http://localhost.example.com", "http://127.0.0.1@example.com", "https://a?b", "https://a b"),
            )
        ),
        (CONTENTFUL, "UPBEAT_CONTENTFUL_URL", "http://cdn.contentful.com"),
    ],
)
def test_a_setting_that_is_wrong_is_named_without_a_secret(given, name, value):
    with pytest.raises(InvalidSettings, match=f"^{name}: expected ") as invalid:
        read_cms_settings(given | {name: value})
    if name.endswith(("TOKEN", "SECRET")) and value:
        assert value.strip() not in str(invalid.value)


def test_a_site_on_this_machine_needs_no_https():
    for url in ("http://127.0.0.1:8000", "http://localhost"):
        assert read_cms_settings(WAGTAIL | {"UPBEAT_WAGTAIL_URL": url}).cms.url == url
