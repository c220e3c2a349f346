"""What every test may use: a real database under two logins, people, and a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase

from config import clock

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

# Filled by migrations, or Django's own books: a flush leaves them alone.
_KEPT = {
    *("django_migrations", "django_content_type"),
    *("auth_permission", "auth_group"),
}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Make the test database as the owner; tests then run as the application."""
    _sign_in_as(settings.DATABASES["owner"]["USER"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    _sign_in_as(settings.DATABASE_APPLICATION_LOGIN)
    yield
    _sign_in_as(settings.DATABASES["owner"]["USER"])


def _sign_in_as(login: str) -> None:
    connection = connections["default"]
    connection.close()
    connection.close_pool()
    connection.settings_dict["USER"] = login


def _truncate_as_owner(self: TransactionTestCase) -> None:
    # The stock flush runs as the application, which may not truncate the ledger,
    # and the append-only triggers would refuse it anyway.
    connections["default"].close()
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND NOT tablename = ANY (%s)",
            [list(_KEPT)],
        )
        [tables] = cursor.fetchone()
        cursor.execute(
            "SELECT DISTINCT event_object_table FROM information_schema.triggers"
            " UNION SELECT relname FROM pg_trigger JOIN pg_class"
            " ON tgrelid = pg_class.oid WHERE NOT tgisinternal"
        )
        guarded = [name for (name,) in cursor.fetchall()]
        switch = "ALTER TABLE {} {} TRIGGER USER"
        cursor.execute("BEGIN")
        for table in guarded:
            cursor.execute(switch.format(table, "DISABLE"))
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        for table in guarded:
            cursor.execute(switch.format(table, "ENABLE"))
        cursor.execute("COMMIT")
    owner.close()


TransactionTestCase._fixture_teardown = _truncate_as_owner


@pytest.fixture(autouse=True)
def _empty_cache():
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _right_clock():
    """Whoever traveled in time is back for the next test."""
    yield
    clock.set_offset(timedelta())
