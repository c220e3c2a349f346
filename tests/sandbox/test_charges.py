"""Charges, refunds and the balance they add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from stripe_sandbox.resources.balance import fee_cents

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class TestCharge:
    def test_gets_its_balance_transaction_a_moment_later(self, pay_now, client, wire):
        intent = pay_now(expand=["latest_charge"])
        charge = client.v1.charges.retrieve(
            intent.latest_charge.id, {"expand": ["balance_transaction"]}
        )
        [updated] = wire.events("charge.updated")

        assert intent.latest_charge.balance_transaction is None
        assert charge.balance_transaction.source == charge.id
        assert updated["data"]["previous_attributes"] == {"balance_transaction": None}

    def test_has_a_receipt(self, pay_now, wire):
        intent = pay_now(expand=["latest_charge"])
        path = intent.latest_charge.receipt_url.removeprefix("http://127.0.0.1:12111")

        page = wire.sandbox.handle("GET", path, {})

        assert b"$5.00" in page.body
        assert b"Visa ending in 4242" in page.body

    def test_is_listed_by_customer_and_intent(self, pay_now, client, alice):
        first = pay_now()
        pay_now()

        of_intent = client.v1.charges.list({"payment_intent": first.id})
        of_customer = client.v1.charges.list({"customer": alice.id})

        assert [charge.id for charge in of_intent.data] == [first.latest_charge]
        assert len(of_customer.data) == 2


class TestBalance:
    @pytest.mark.parametrize(
        ("amount", "fee"), [(500, 45), (1500, 74), (3500, 132), (1, 30), (10000, 320)]
    )
    def test_takes_2_point_9_percent_and_30_cents(self, amount, fee):
        assert fee_cents(amount) == fee

    def test_books_a_charge_less_its_fee(self, pay_now, client):
        pay_now()

        [booked] = client.v1.balance_transactions.list().data

        assert (booked.amount, booked.fee, booked.net) == (500, 45, 455)
        assert (booked.type, booked.reporting_category) == ("charge", "charge")
        assert booked.fee_details[0].type == "stripe_fee"

    def test_is_available_two_days_later(self, pay_now, client, wire):
        wire.at(NOON)
        pay_now()
        before = client.v1.balance.retrieve()
        wire.at(NOON + timedelta(days=2))
        after = client.v1.balance.retrieve()

        assert (before.pending[0].amount, before.available[0].amount) == (455, 0)
        assert (after.pending[0].amount, after.available[0].amount) == (0, 455)

    def test_is_available_at_once_with_the_card_for_that(self, pay_now, client):
        pay_now("pm_card_bypassPending")

        assert client.v1.balance.retrieve().available[0].amount == 455


class TestRefund:
    def test_gives_everything_back(self, pay_now, client):
        intent = pay_now()

        refund = client.v1.refunds.create({"payment_intent": intent.id})
        charge = client.v1.charges.retrieve(refund.charge, {"expand": ["refunds"]})

        assert (refund.amount, refund.status) == (500, "succeeded")
        assert (charge.amount_refunded, charge.refunded) == (500, True)
        assert [each.id for each in charge.refunds.data] == [refund.id]

    def test_gives_a_part_back(self, pay_now, client):
        intent = pay_now()

        refund = client.v1.refunds.create(
            {"charge": intent.latest_charge, "amount": 200, "reason": "duplicate"}
        )
        charge = client.v1.charges.retrieve(refund.charge)

        assert (charge.amount_refunded, charge.refunded) == (200, False)
        assert refund.reason == "duplicate"

    def test_books_the_money_and_keeps_the_fee(self, pay_now, client):
        client.v1.refunds.create({"payment_intent": pay_now().id})

        booked = client.v1.balance_transactions.list({"type": "refund"}).data

        assert [(each.amount, each.fee, each.net) for each in booked] == [
            (-500, 0, -500)
        ]

    def test_tells_its_events(self, pay_now, client, wire):
        client.v1.refunds.create({"payment_intent": pay_now().id, "amount": 200})

        charge_event, refund_event = wire.events()[-2:]

        assert charge_event["type"] == "charge.refunded"
        assert charge_event["data"]["previous_attributes"] == {"amount_refunded": 0}
        assert "refunds" not in charge_event["data"]["object"]
        assert refund_event["type"] == "refund.created"

    def test_refuses_more_than_the_charge(self, pay_now, client):
        intent = pay_now()

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent.id, "amount": 999})

        assert caught.value.param == "amount"
        assert caught.value.user_message == (
            "Refund amount ($9.99) is greater than charge amount ($5.00)"
        )

    def test_refuses_more_than_what_is_left(self, pay_now, client):
        intent = pay_now()
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 200})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent.id, "amount": 400})

        assert caught.value.user_message == (
            "Refund amount ($4.00) is greater than unrefunded amount on charge ($3.00)"
        )

    def test_refuses_a_second_full_refund(self, pay_now, client):
        intent = pay_now()
        client.v1.refunds.create({"payment_intent": intent.id})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"payment_intent": intent.id})

        assert caught.value.code == "charge_already_refunded"
        assert caught.value.user_message == (
            f"Charge {intent.latest_charge} has already been refunded."
        )

    def test_arrives_later_with_the_card_for_that(self, pay_now, client, wire):
        wire.at(NOON)
        refund = client.v1.refunds.create(
            {"payment_intent": pay_now("pm_card_pendingRefund").id}
        )
        wire.at(NOON + timedelta(minutes=5))

        assert refund.status == "pending"
        assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
        assert wire.events("refund.updated")[0]["data"]["previous_attributes"] == {
            "status": "pending"
        }

    def test_fails_later_with_the_card_for_that(self, pay_now, client, wire):
        wire.at(NOON)
        refund = client.v1.refunds.create(
            {"payment_intent": pay_now("pm_card_refundFail").id}
        )
        wire.at(NOON + timedelta(minutes=5))

        failed = client.v1.refunds.retrieve(refund.id)

        assert refund.status == "succeeded"
        assert failed.status == "failed"
        assert failed.failure_reason == "expired_or_canceled_card"
        assert wire.events("refund.failed") != []
        assert client.v1.balance.retrieve().pending[0].amount == 455

    def test_changes_its_metadata(self, pay_now, client):
        refund = client.v1.refunds.create({"payment_intent": pay_now().id})

        refund = client.v1.refunds.update(refund.id, {"metadata": {"case": "9"}})

        assert refund.metadata.to_dict() == {"case": "9"}
