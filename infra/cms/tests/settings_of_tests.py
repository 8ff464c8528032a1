"""The settings of the site in tests: secrets of their own, and a database in memory."""

import os

os.environ |= {
    "CMS_SECRET_KEY": "a key that signs the sessions of tests",
    "CMS_API_TOKEN": "a-token-with-which-only-tests-read-entries",
    "CMS_WEBHOOK_SECRET": "a secret that signs the webhooks of tests",
    "CMS_HOSTS": "127.0.0.1,localhost,testserver",
}
for name in ("CMS_DEBUG", "CMS_DATABASE", "CMS_WEBHOOK_URL", "CMS_URL", "CMS_EMAIL_HOST", "CMS_BEHIND_PROXY"):
    os.environ.pop(name, None)

from upbeat_cms.settings import *  # noqa: F403, E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, and of no use but in tests
