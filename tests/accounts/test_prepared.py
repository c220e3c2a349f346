"""The queries of the hot paths are planned once a connection, not each time."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.prepared import fetch
from tests.conftest import NOW
from tests.factories import make_account

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

    def test_says_what_the_database_refuses(self):
        with pytest.raises(IntegrityError, match="null value"):
            fetch(
                "INSERT INTO accounts_membership (role) VALUES (%s) RETURNING id", ["x"]
            )

    def test_reads_instants_in_utc(self):
        query = "SELECT %s::timestamptz AS at, %s::timestamptz AS whole, NULL AS none"

        [row] = fetch(query, [NOW + timedelta(microseconds=120), NOW])

        assert row == (NOW + timedelta(microseconds=120), NOW, None)
        assert row.at.tzinfo is UTC

    def test_names_the_columns(self):
        [row] = fetch("SELECT 1 AS one, 2 AS two", [])

        assert (row.one, row.two) == (1, 2)

    def test_makes_rows_as_it_is_told(self):
        assert fetch("SELECT 1, 2", [], make_row=sum) == [3]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestTransaction:
    def test_begins_with_the_first_query_of_a_hot_path(self):
        account = make_account()
        rename = "UPDATE accounts_account SET name = %s WHERE id = %s RETURNING id"

        with transaction.atomic():
            fetch(rename, ["Westwind", account.pk])
            transaction.set_rollback(True)

        account.refresh_from_db()
        assert account.name == "Northwind Studio"
