"""What a migrated database needs besides tables: functions, triggers, rights."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connections, transaction

_BASE = Path(settings.BASE_DIR)
_FUNCTIONS = tuple(_BASE / app / "sql" for app in ("credits", "billing"))
_LIMITS = _BASE / "config" / "sql" / "limits.sql"
_RIGHTS = _BASE / "config" / "sql" / "rights.sql"


def load_functions_and_rights(*, using: str, **_: object) -> None:
    """Load the apps' functions and set the application's rights, after `migrate`.

    Idempotent: each file replaces what it defined before, so its history is git's.
    """
    connection = connections[using]
    limits = _LIMITS.read_text().format(
        at_once=settings.ADJUSTMENT_LIMIT, a_day=settings.ADJUSTMENT_DAILY_LIMIT
    )
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(limits)
        for directory in _FUNCTIONS:
            for file in sorted(directory.glob("*.sql")):
                cursor.execute(file.read_text())
        application = settings.DATABASE_APPLICATION_LOGIN
        if application:
            quoted = connection.ops.quote_name(application)
            cursor.execute(_RIGHTS.read_text().replace("{application}", quoted))
