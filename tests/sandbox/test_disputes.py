"""Disputes and early fraud warnings, from test cards to their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe

from stripe_sandbox import disputing

NOW = datetime(2027, 2, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _still(wire):
    wire.at(NOW)


@pytest.fixture
def disputed(client, pay_now, wire):
    """Pay with a card that is disputed at once, and return the dispute."""

    def disputed(card: str = "pm_card_createDispute") -> stripe.Dispute:
        charge = pay_now(card).latest_charge
        wire.sandbox.tick()
        [dispute] = client.v1.disputes.list({"charge": charge}).data
        return dispute

    return disputed


def told(wire, prefix: str = "charge.dispute.") -> list[str]:
    types = [event["type"] for event in wire.events()]
    return [each.removeprefix(prefix) for each in types if each.startswith(prefix)]


def movements(client, dispute) -> list[tuple[int, int, str]]:
    listed = client.v1.balance_transactions.list({"source": dispute.id}).data
    return [(each.amount, each.fee, each.reporting_category) for each in listed[::-1]]


class TestChargeback:
    def test_takes_the_money_and_a_fee(self, client, disputed, wire):
        dispute = disputed()

        charge = client.v1.charges.retrieve(dispute.charge)
        assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
        assert charge.disputed
        assert movements(client, dispute) == [(-500, 1500, "dispute")]
        assert [each.net for each in dispute.balance_transactions] == [-2000]
        assert told(wire) == ["created", "funds_withdrawn"]

    def test_comes_after_the_charge_is_booked(self, disputed, wire):
        disputed()

        types = [event["type"] for event in wire.events()]

        assert types[-3:] == [
            "charge.updated",
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
        ]

    def test_gives_its_reason(self, disputed):
        dispute = disputed("pm_card_createDisputeProductNotReceived")

        assert dispute.reason == "product_not_received"
        assert dispute.payment_method_details.card.case_type == "chargeback"

    def test_cannot_be_refunded(self, client, disputed):
        dispute = disputed()

        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.refunds.create({"charge": dispute.charge})

        assert caught.value.code == "charge_disputed"

    def test_is_lost_when_nobody_answers(self, client, disputed, wire):
        dispute = disputed()

        wire.at(NOW + timedelta(days=10))

        assert client.v1.disputes.retrieve(dispute.id).status == "lost"
        assert told(wire)[-1] == "closed"
        assert movements(client, dispute) == [(-500, 1500, "dispute")]

    def test_is_lost_when_given_up(self, client, disputed):
        closed = client.v1.disputes.close(disputed().id)

        assert closed.status == "lost"
        with pytest.raises(stripe.InvalidRequestError, match="status of lost"):
            client.v1.disputes.close(closed.id)


class TestEvidence:
    def test_is_staged_first(self, client, disputed):
        staged = client.v1.disputes.update(
            disputed().id,
            {"evidence": {"uncategorized_text": "?"}, "submit": False},
        )

        assert staged.status == "needs_response"
        assert staged.evidence.uncategorized_text == "?"
        assert staged.evidence_details.submission_count == 0

    @pytest.mark.parametrize(
        ("text", "status", "last", "money"),
        [
            ("winning_evidence", "won", "closed", [(500, 0, "dispute_reversal")]),
            ("losing_evidence", "lost", "closed", []),
        ],
    )
    def test_decides(self, client, disputed, wire, text, status, last, money):
        dispute = disputed()
        sent = client.v1.disputes.update(
            dispute.id, {"evidence": {"uncategorized_text": text}}
        )

        wire.at(NOW + timedelta(hours=1))

        assert sent.status == "under_review"
        assert client.v1.disputes.retrieve(dispute.id).status == status
        assert told(wire)[-1] == last
        assert movements(client, dispute)[1:] == money

    def test_keeps_the_deadline_from_losing(self, client, disputed, wire):
        dispute = disputed()
        client.v1.disputes.update(
            dispute.id, {"evidence": {"product_description": "x"}}
        )

        wire.at(NOW + timedelta(days=30))

        assert client.v1.disputes.retrieve(dispute.id).status == "under_review"

    def test_names_no_file_that_was_not_uploaded(self, client, disputed):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.disputes.update(
                disputed().id, {"evidence": {"receipt": "file_1"}}
            )

        assert caught.value.param == "evidence[receipt]"


class TestWonDispute:
    def test_gives_the_money_back_but_not_the_fee(self, client, disputed, wire):
        dispute = disputed()
        context = wire.sandbox.context()

        won = disputing.win(context, context.fetch("dispute", dispute.id))

        assert [each["net"] for each in won["balance_transactions"]] == [-2000, 500]
        assert told(wire)[-2:] == ["funds_reinstated", "closed"]

    def test_can_be_refunded(self, client, disputed, wire):
        dispute = disputed()
        context = wire.sandbox.context()
        disputing.win(context, context.fetch("dispute", dispute.id))

        assert client.v1.refunds.create({"charge": dispute.charge}).amount == 500


class TestInquiry:
    CARD = "pm_card_createDisputeInquiry"

    def test_takes_no_money(self, client, disputed, wire):
        dispute = disputed(self.CARD)

        assert dispute.status == "warning_needs_response"
        assert dispute.is_charge_refundable
        assert movements(client, dispute) == []
        assert told(wire) == ["created"]

    def test_ends_with_a_full_refund(self, client, disputed, wire):
        dispute = disputed(self.CARD)

        client.v1.refunds.create({"charge": dispute.charge})

        assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"
        assert told(wire)[-1] == "closed"

    def test_ends_by_itself(self, client, disputed, wire):
        dispute = disputed(self.CARD)

        wire.at(NOW + timedelta(days=119))
        before = client.v1.disputes.retrieve(dispute.id).status
        wire.at(NOW + timedelta(days=121))

        after = client.v1.disputes.retrieve(dispute.id).status
        assert (before, after) == ("warning_needs_response", "warning_closed")

    def test_can_become_a_chargeback(self, client, disputed, wire):
        dispute = disputed(self.CARD)
        client.v1.disputes.update(
            dispute.id,
            {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}},
        )

        wire.at(NOW + timedelta(hours=1))

        escalated = client.v1.disputes.retrieve(dispute.id)
        assert escalated.status == "needs_response"
        assert movements(client, dispute) == [(-500, 1500, "dispute")]
        assert told(wire)[-2:] == ["updated", "funds_withdrawn"]


class TestEarlyFraudWarning:
    @pytest.fixture
    def warned(self, client, pay_now, wire):
        charge = pay_now("pm_card_createIssuerFraudRecord").latest_charge
        wire.sandbox.tick()
        [warning] = client.v1.radar.early_fraud_warnings.list({"charge": charge}).data
        return warning

    def test_names_the_charge(self, client, warned, wire):
        found = client.v1.radar.early_fraud_warnings.retrieve(warned.id)

        assert found.actionable
        assert found.fraud_type == "unauthorized_use_of_card"
        assert told(wire, "radar.early_fraud_warning.") == ["created"]

    def test_needs_no_more_care_after_a_refund(self, client, warned, wire):
        client.v1.refunds.create({"charge": warned.charge})

        found = client.v1.radar.early_fraud_warnings.retrieve(warned.id)
        assert not found.actionable
        assert told(wire, "radar.early_fraud_warning.") == ["created", "updated"]
