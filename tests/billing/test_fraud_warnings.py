"""Payments that may be fraud: frozen, then refunded or kept (R84)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import AuditEvent, Notice
from billing.disputes import fraud_warnings
from billing.models import FraudWarning, Purchase, WarningState
from billing.purchases import settling
from credits import audits
from credits.models import CreditGrant
from tests.billing.bank import Bank
from tests.billing.conftest import available, buy
from tests.billing.plans import Plans
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def plans(wire) -> Plans:
    return Plans(wire)


@pytest.fixture
def bank(plans) -> Bank:
    return Bank(plans)


@pytest.fixture
def bought(plans, business, alice) -> Purchase:
    """300 credits for $15.00."""
    purchase = buy(business, alice, blocks=3)
    plans.wire.pay(purchase.stripe_session_id)
    settling.settle(session_id=purchase.stripe_session_id, at=NOW)
    plans.hear()
    return purchase


@pytest.fixture(autouse=True)
def _proven():
    """Whatever happened, the books are right."""
    yield
    assert audits.verify() == []


def grant_of(purchase: Purchase) -> CreditGrant:
    return CreditGrant.objects.get(source_key=purchase.source_key)


def keep(user, at=NOW) -> None:
    fraud_warnings.keep_payment(
        warning_id=FraudWarning.objects.get().pk,
        user=user,
        reason="Alice rang: it was her.",
        at=at,
    )


class TestWarning:
    def test_freezes_and_tells(self, bank, business, bought):
        bank.warn(bought)

        warning = FraudWarning.objects.get()
        assert (warning.state, warning.frozen_credits) == (WarningState.OPEN, 300)
        assert available(business) == 1_500
        assert Notice.objects.filter(kind="fraud_warning").count() == 1

    def test_kept_gives_back_with_the_expiry_moved(self, bank, business, bought, alice):
        before = grant_of(bought).expires_at
        bank.warn(bought)

        keep(alice, at=NOW + 2 * DAY)

        assert FraudWarning.objects.get().state == WarningState.KEPT
        assert available(business) == 1_800
        assert grant_of(bought).expires_at == before + 2 * DAY
        audited = AuditEvent.objects.get(action="fraud_warning.kept")
        assert audited.reason == "Alice rang: it was her."

    def test_is_decided_once(self, bank, bought, alice):
        bank.warn(bought)
        keep(alice)

        with pytest.raises(fraud_warnings.WarningIsOver):
            keep(alice)

    def test_heard_of_again_stays_kept(self, bank, plans, business, bought, alice):
        bank.warn(bought)
        keep(alice)

        bank.dispute(bought, "inquiry")  # the warning is told of again by it
        plans.hear()

        assert FraudWarning.objects.get().state == WarningState.KEPT
        assert available(business) == 1_800

    def test_ends_with_the_refund(self, bank, plans, business, bought):
        bank.warn(bought)

        bank.refund(bought)
        plans.travel(NOW + timedelta(minutes=5))

        assert FraudWarning.objects.get().state == WarningState.REFUNDED
        assert available(business) == 1_500
        assert grant_of(bought).remaining == 0

    def test_gives_way_to_a_dispute(self, bank, business, bought):
        bank.warn(bought)

        bank.dispute(bought)

        assert FraudWarning.objects.get().state == WarningState.DISPUTED
        assert grant_of(bought).frozen_for == ["DISPUTE"]
        assert available(business) == 1_500

    def test_an_inquiry_leaves_it_open(self, bank, business, bought):
        bank.warn(bought)

        bank.dispute(bought, "inquiry")

        assert FraudWarning.objects.get().state == WarningState.OPEN
        assert available(business) == 1_500
