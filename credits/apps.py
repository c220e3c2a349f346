"""The credits app."""

from __future__ import annotations

from django.apps import AppConfig


class CreditsConfig(AppConfig):
    """Registers the app."""

    name = "credits"
