"""The door for a WSGI server (granian; gunicorn works too): the short way for switches, Django for everybody else."""

from __future__ import annotations

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing.settings")

pages = get_wsgi_application()

from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from billing.slim import slim  # noqa: E402
from rating.live import standing  # noqa: E402

sys.setswitchinterval(0.001)  # A call waits no longer than this for a thread that compiles prices.
application = slim(pages)
_ = get_resolver().url_patterns  # Read now: seconds that would else be the first caller's.
if settings.DB_ROLE == "web":
    standing.mind()
