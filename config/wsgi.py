"""The web server's way in."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application: WSGIApplication = get_wsgi_application()
get_resolver().check()  # brings all views in now, and not with the first page
_templates = settings.BASE_DIR / "templates"
for _page in _templates.rglob("*.html"):
    get_template(str(_page.relative_to(_templates)))  # parsed now, and kept
if "config.http.PortalClockMiddleware" not in settings.MIDDLEWARE:
    from credits.api.plain_debits import PlainDebits

    application = PlainDebits(application)
# What is loaded by now lives as long as the process: to look through it again and again
# for garbage cost one page in a hundred a fifth of a second.
gc.freeze()
