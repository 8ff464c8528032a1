"""The site as a WSGI application, for a server such as gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upbeat_cms.settings")

application = get_wsgi_application()
