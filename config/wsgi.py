"""The web server's way in."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
get_resolver().check()  # brings all views in now, and not with the first page
# What is loaded by now lives as long as the process: to look through it again and again
# for garbage cost one page in a hundred a fifth of a second.
gc.freeze()
