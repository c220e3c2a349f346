"""What every test may use: a real database under two logins, people, and a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import TransactionTestCase

from config import clock
from credits.api import throttling

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

# What migrations fill, and Django's own books, stays. As on a replica, neither
# triggers nor foreign keys have a say in what is deleted. The lock waits for whoever
# still writes, as a server that has not finished its last request.
_EMPTY = """
DO $$
DECLARE
    emptied regclass;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR emptied IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname NOT IN (
                'django_migrations', 'django_content_type',
                'auth_permission', 'auth_group'
            )
    LOOP
        EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', emptied);
        EXECUTE format('DELETE FROM %s', emptied);
        PERFORM setval(seqrelid, seqstart, false)
        FROM pg_sequence JOIN pg_depend ON objid = seqrelid
        WHERE refclassid = 'pg_class'::regclass AND refobjid = emptied
            AND pg_sequence_last_value(seqrelid) IS NOT NULL;
    END LOOP;
END
$$
"""

# Where long tests are, the longest first. They begin a run: one that came last would
# leave the other workers idle.
_LONG = ("stories", "browser", "faults")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    directory = item.path.parent.name
    return _LONG.index(directory) if directory in _LONG else len(_LONG)


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


def _empty_as_owner(self: TransactionTestCase) -> None:
    # The stock flush runs as the application, which may not empty the ledger, and
    # truncates every table: most tests have written into few.
    connections["default"].close()
    with connections["owner"].cursor() as cursor:
        cursor.execute(_EMPTY)
    connections["owner"].close()


TransactionTestCase._fixture_teardown = _empty_as_owner


@pytest.fixture(autouse=True)
def _empty_cache():
    yield
    cache.clear()
    throttling._tallies.clear()  # keys of other tests may have the same ids


@pytest.fixture(autouse=True)
def _right_clock():
    """Whoever traveled in time is back for the next test."""
    yield
    clock.set_offset(timedelta())
