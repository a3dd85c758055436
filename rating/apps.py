from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class RatingConfig(AppConfig):
    name = "rating"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rating.live.controls import check_controls

        register(check_controls)
