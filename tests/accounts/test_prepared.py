"""The queries of the hot paths are planned once a connection, not each time."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.prepared import fetch

pytestmark = pytest.mark.django_db


class TestFetch:
    def test_prepares_what_it_runs(self):
        for number in range(3):
            fetch("SELECT %s::bigint AS hot_path", [number])

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
                " WHERE statement LIKE 'SELECT $1::bigint AS hot_path'"
            )
            assert cursor.fetchall() == [(3,)]

    def test_names_the_columns(self):
        [row] = fetch("SELECT 1 AS one, 2 AS two", [])

        assert (row.one, row.two) == (1, 2)
