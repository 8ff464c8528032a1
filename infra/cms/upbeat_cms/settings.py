"""Settings of the site, read from environment variables; docs/cms.md explains each."""

import os
import re
import secrets
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SITE = Path(__file__).resolve().parents[1]
ROOT = SITE.parents[1]
if str(ROOT) not in sys.path:  # under a WSGI server, which does not run manage.py
    sys.path.append(str(ROOT))

MIN_SECRET = 32
"""The least length of a secret, in characters."""


def _flag(name: str) -> bool:
    given = os.environ.get(name, "false")
    if given not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name}: expected true or false, found {given!r}")
    return given == "true"


def _secret(name: str) -> str:
    """A secret of the environment; empty if there is none."""
    given = os.environ.get(name, "")
    if given and len(given) < MIN_SECRET:
        raise ImproperlyConfigured(f"{name}: expected at least {MIN_SECRET} characters, found {len(given)}")
    return given


def _address(name: str, default: str) -> str:
    """An address without a slash at its end; plain http only on this machine."""
    given = os.environ.get(name) or default
    if given and not re.fullmatch(r"(https://[^/?#\s]|http://(localhost|127\.0\.0\.1)(?=[:/]|$))[^#\s]*", given):
        raise ImproperlyConfigured(f"{name}: expected an address with https, found {given!r}")
    return given.rstrip("/")


DEBUG = _flag("CMS_DEBUG")
SECRET_KEY = _secret("CMS_SECRET_KEY") or (secrets.token_urlsafe(48) if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(f"CMS_SECRET_KEY: expected at least {MIN_SECRET} characters, found nothing")

API_TOKEN = _secret("CMS_API_TOKEN")
if not re.fullmatch(r"[!-~]*", API_TOKEN):
    raise ImproperlyConfigured("CMS_API_TOKEN: expected what a header can hold, found characters such as spaces")
"""The token with which Upbeat reads the entries and reports mistakes. Without it, nobody can."""
WEBHOOK_URL = _address("CMS_WEBHOOK_URL", "")
"""The address of Upbeat's function `catalog_sync`. Without it, webhooks wait."""
WEBHOOK_SECRET = _secret("CMS_WEBHOOK_SECRET")
if WEBHOOK_URL and not WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "CMS_WEBHOOK_SECRET: expected a secret, since there is a CMS_WEBHOOK_URL, found nothing"
    )

WAGTAILADMIN_BASE_URL = _address("CMS_URL", "http://127.0.0.1:8800")
ALLOWED_HOSTS = [host for host in os.environ.get("CMS_HOSTS", "127.0.0.1,localhost").split(",") if host]
CSRF_TRUSTED_ORIGINS = [WAGTAILADMIN_BASE_URL]
IS_HTTPS = WAGTAILADMIN_BASE_URL.startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _flag("CMS_BEHIND_PROXY") else None
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
X_FRAME_OPTIONS = "SAMEORIGIN"  # the preview is a frame of the same site

INSTALLED_APPS = [
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.images",  # the pages of the admin need it, and documents; nothing here stores any
    "wagtail.documents",
    "wagtail.admin",
    "modelsearch",
    "wagtail",
    "django_tasks",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "entries",  # last: after a migration, it gives its groups the permissions that the others have made
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "upbeat_cms.urls"
WSGI_APPLICATION = "upbeat_cms.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# A request is one transaction, so that what is published and the webhook about it are stored together. It takes
# the write lock at once: a transaction of SQLite that begins by reading fails if another writes before it does.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("CMS_DATABASE") or str(ROOT / "out/cms.sqlite3"),
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("CMS_STATIC_ROOT") or str(ROOT / "out/cms-static")

MEDIA_ROOT = str(ROOT / "out/cms-media")

WAGTAIL_SITE_NAME = "Upbeat catalog"
WAGTAIL_FINISH_WORKFLOW_ACTION = "entries.publishing.publish_approved"
WAGTAIL_AUTOSAVE_INTERVAL = 0  # a draft is what its editor saved
WAGTAIL_ENABLE_UPDATE_CHECK = False  # the admin asks nothing of other sites
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_I18N_ENABLED = False
WAGTAILADMIN_NOTIFICATION_USE_HTML = False
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
if not os.environ.get("CMS_EMAIL_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_HOST = os.environ.get("CMS_EMAIL_HOST", "")
DEFAULT_FROM_EMAIL = os.environ.get("CMS_EMAIL_FROM") or "catalog@localhost"
