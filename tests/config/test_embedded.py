"""The servers of a test run."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.django_db
class TestLocks:
    def test_are_not_waited_for_forever(self):
        """A test that left a transaction open would hang the next one's clean-up."""
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")

            assert cursor.fetchone() == ("1min",)
