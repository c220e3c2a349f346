"""The project itself: what has to happen when Django starts."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class PurserConfig(AppConfig):
    """Loads Celery's application, and functions and rights after migrations."""

    name = "config"

    def ready(self) -> None:
        """Run after the last app is migrated, when every table is there."""
        from config import celery  # noqa: F401, PLC0415 - any process may send tasks
        from config.database import load_functions_and_rights  # noqa: PLC0415

        post_migrate.connect(
            load_functions_and_rights, sender=apps.get_app_config("billing")
        )
