from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import keys
from accounts.models import AuditEvent, Notice, Scope, ServiceKey
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

SCOPES = [Scope.CREDITS_SPEND, Scope.RATES_READ]


@pytest.fixture
def issued(account, alice):
    return keys.issue(
        name="Video backend", scopes=SCOPES, account=account, by=alice, at=NOW
    )


class TestIssue:
    def test_returns_a_key_that_says_what_it_is(self, issued):
        brand, prefix, secret = issued.secret.split("_")

        assert (brand, len(prefix), len(secret)) == ("prsr", 8, 39)
        assert issued.key.masked == f"prsr_{prefix}…{secret[-4:]}"

    def test_keeps_nothing_that_opens_anything(self, issued):
        secret = issued.secret.split("_")[2]

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(k::text, ' ') || (SELECT"
                " coalesce(string_agg(a::text, ' '), '') FROM accounts_auditevent a)"
                " || (SELECT coalesce(string_agg(n::text, ' '), '')"
                " FROM accounts_notice n) FROM accounts_servicekey k"
            )
            [everything] = cursor.fetchone()

        assert issued.key.prefix in everything
        assert secret not in everything
        assert secret[:16] not in everything

    def test_is_recorded_with_what_the_key_may_do(self, issued, account, alice):
        event = AuditEvent.objects.get(action="key.created")

        assert (event.actor, event.account_id) == (alice.email, account.pk)
        assert event.after["scopes"] == ["credits:spend", "rates:read"]

    def test_tells_those_who_manage_keys(self, account, alice, adam, bob):
        keys.issue(name="Batch", scopes=SCOPES, account=account, by=adam, at=NOW)

        told = Notice.objects.filter(kind="key_created").values_list(
            "recipient", "text"
        )
        assert {recipient for recipient, _ in told} == {alice.email, adam.email}
        assert "adam@example.com created the API key “Batch”" in told[0][1]

    def test_without_an_account_makes_the_operators_key(self):
        issued = keys.issue(name="Product", scopes=SCOPES, at=NOW)

        assert issued.key.account is None
        assert AuditEvent.objects.get(action="key.created").actor == "operator"
        assert not Notice.objects.exists()


class TestAuthenticate:
    def test_finds_the_key_in_one_query(self, issued, django_assert_num_queries):
        keys.authenticate(issued.secret, at=NOW)

        with django_assert_num_queries(1):
            assert keys.authenticate(issued.secret, at=NOW) == issued.key

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
            lambda key: key.replace("prsr_", "prsx_"),
            lambda key: key + "0",
            lambda key: key[:20] + key[21] + key[20] + key[22:],
            lambda key: key[:-1] + "é",
            lambda key: "",
        ],
        ids=["checksum", "brand", "longer", "swapped", "not ascii", "empty"],
    )
    def test_refuses_what_cannot_be_a_key_without_a_query(
        self, issued, spoil, django_assert_num_queries
    ):
        mistyped = spoil(issued.secret)

        with django_assert_num_queries(0):
            assert mistyped == issued.secret or not keys.authenticate(mistyped, at=NOW)

    def test_refuses_a_well_formed_key_that_was_never_issued(self, issued):
        ServiceKey.objects.all().delete()

        assert keys.authenticate(issued.secret, at=NOW) is None

    def test_refuses_a_revoked_key(self, issued, alice):
        keys.revoke(key=issued.key, by=alice, at=NOW)

        assert keys.authenticate(issued.secret, at=NOW) is None

    def test_refuses_from_the_instant_of_expiry(self, account):
        until = NOW + timedelta(days=90)
        issued = keys.issue(
            name="Short", scopes=SCOPES, account=account, expires_at=until, at=NOW
        )
        moment = timedelta(microseconds=1)

        assert keys.authenticate(issued.secret, at=until - moment) == issued.key
        assert keys.authenticate(issued.secret, at=until) is None

    @pytest.mark.parametrize(("seconds", "noted"), [(59, 0), (60, 60)])
    def test_notes_its_use_at_most_once_a_minute(self, issued, seconds, noted):
        keys.authenticate(issued.secret, at=NOW)

        keys.authenticate(issued.secret, at=NOW + timedelta(seconds=seconds))

        issued.key.refresh_from_db()
        assert issued.key.last_used_at == NOW + timedelta(seconds=noted)


class TestRevoke:
    def test_is_told_and_recorded_once(self, issued, alice):
        keys.revoke(key=issued.key, by=alice, at=NOW)
        keys.revoke(key=issued.key, by=alice, at=NOW + timedelta(days=1))

        issued.key.refresh_from_db()
        assert issued.key.revoked_at == NOW
        assert AuditEvent.objects.filter(action="key.revoked").count() == 1
        assert Notice.objects.filter(kind="key_revoked").count() == 1


class TestCreateServiceKeyCommand:
    def test_prints_the_operators_key_once(self, capsys):
        call_command("create_service_key", "--name=Product", "--scope=credits:spend")

        printed = capsys.readouterr()
        key = ServiceKey.objects.get()
        assert keys.authenticate(printed.out.strip(), at=NOW) == key
        assert "it is shown only here" in printed.err

    def test_makes_a_key_of_one_account(self, account, capsys):
        call_command(
            "create_service_key",
            "--name=Video",
            "--scope=credits:spend",
            "--scope=rates:read",
            f"--account={account.public_id}",
            "--expires-days=30",
        )

        key = ServiceKey.objects.get()
        assert (key.account, key.scopes) == (account, ["credits:spend", "rates:read"])
        assert key.expires_at

    @pytest.mark.parametrize(
        ("argument", "said"),
        [
            ("--account=acc_nobody", "There is no account acc_nobody."),
            ("--expires-days=0", "--expires-days takes 1 or more."),
        ],
    )
    def test_refuses_what_makes_no_sense(self, argument, said):
        with pytest.raises(CommandError, match=said):
            call_command(
                "create_service_key", "--name=X", "--scope=rates:read", argument
            )
