"""The Celery app.

A task is only a nudge: what is to be done, and by whom, stands in rows of the database (chunks with leases, the
outbox). So a lost or doubled message costs time, never money.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing.settings")

app = Celery("tollgate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
