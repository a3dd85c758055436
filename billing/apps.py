"""The app at the top of the tower; loads the Celery app, so that `shared_task` finds it in every process."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Tollgate"

    def ready(self) -> None:
        import_module("billing.celery")
