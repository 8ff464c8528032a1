#!/usr/bin/env python
"""The commands of the Wagtail site: `manage.py demo`, `send_webhooks`, `import_catalog` and Django's own."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upbeat_cms.settings")
    sys.path.append(str(ROOT))  # for `shared`, whose rules check the entries
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
