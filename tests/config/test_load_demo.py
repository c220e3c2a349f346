"""The demo: the same each time, once, and nowhere else."""

from __future__ import annotations

import pytest
import stripe
from django.core.management import CommandError, call_command
from django.db.models import Count

from accounts import keys
from accounts.models import Account, AuditEvent, Membership, Notice, User
from billing import stripe_gateway
from billing.models import Purchase, PurchaseState
from config.clock import now
from config.demo import people
from credits.models import LedgerEntry, Wallet
from tests.sandbox_process import run_sandbox

DATABASES = ["default", "owner"]


@pytest.fixture
def sandbox(transactional_db, tmp_path, settings):
    with run_sandbox(tmp_path) as sandbox:
        settings.STRIPE_API_BASE = sandbox.url
        with stripe_gateway.using(stripe.RequestsClient(timeout=15)):
            for command in ("load_catalogue", "load_rate_card", "stripe_setup"):
                call_command(command, verbosity=0)
            yield sandbox


@pytest.mark.django_db(transaction=True, databases=DATABASES)
class TestLoadDemo:
    def test_tells_one_story_once(self, sandbox):
        call_command("load_demo")
        first = _everything()

        call_command("load_demo")

        assert _everything() == first
        assert _available("acc_demonorthwind") == 1_500
        assert _available("acc_demosolo") == 0
        assert Purchase.objects.get().state == PurchaseState.PAID
        assert Notice.objects.filter(sent_at=None).count() == 0
        assert {person.email for person in people.PEOPLE} == set(
            User.objects.values_list("email", flat=True)
        )
        assert call_command("verify_ledger") is None

    def test_makes_a_key_that_opens(self, sandbox):
        call_command("load_demo")

        assert keys.authenticate(people.OPERATOR_KEY, at=now())


class TestProduction:
    def test_is_refused(self, settings):
        settings.IS_PRODUCTION = True

        with pytest.raises(CommandError, match="never in production"):
            call_command("load_demo")


def _available(account: str) -> int:
    return Wallet.objects.get(account__public_id=account).available


def _everything() -> dict[str, int]:
    tables = (Account, User, Membership, LedgerEntry, Purchase, AuditEvent, Notice)
    return {
        table.__name__: table.objects.aggregate(rows=Count("pk"))["rows"]
        for table in tables
    }
