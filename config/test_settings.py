"""The settings under test: development, minus what makes tests slow or loud."""

from __future__ import annotations

import os

os.environ["ENVIRONMENT"] = "development"
os.environ["ENV_FILE"] = os.devnull  # real keys of a developer are not for tests

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LOGGING = {"version": 1, "disable_existing_loggers": False}
WHITENOISE_AUTOREFRESH = True  # nothing is collected here

# Each worker of a parallel run (gw0, gw1, …) empties a cache of its own.
CACHES["default"]["OPTIONS"] = {  # noqa: F405
    "db": int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
}

# Nothing of a test stays on the disk.
STORAGES["exports"] = {  # noqa: F405
    "BACKEND": "django.core.files.storage.InMemoryStorage"
}

# Tests count the queries of production, where nobody moves the clock.
MIDDLEWARE.remove("config.http.PortalClockMiddleware")  # noqa: F405
