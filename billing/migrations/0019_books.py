"""Stripe's balance as it moved, and what was booked beside the ledger, for good."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER append_only ON {table};
DROP TRIGGER append_only_whole ON {table};
"""


def append_only(table: str) -> migrations.RunSQL:
    """Let nobody change or delete what a table says."""
    return migrations.RunSQL(
        APPEND_ONLY.format(table=table), NOT_APPEND_ONLY.format(table=table)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_staff_limits"),
        ("billing", "0018_closed_months"),
    ]
    operations = [
        migrations.CreateModel(
            name="BalanceMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "stripe_balance_transaction_id",
                    models.CharField(max_length=96, unique=True),
                ),
                (
                    "category",
                    models.CharField(
                        help_text="Stripe's reporting_category: charge, dispute, …",
                        max_length=40,
                    ),
                ),
                (
                    "source_id",
                    models.CharField(
                        blank=True,
                        help_text="Stripe's id of the charge or dispute.",
                        max_length=96,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount_cents",
                    models.BigIntegerField(help_text="Signed, before the fee."),
                ),
                ("fee_cents", models.BigIntegerField()),
                ("booked_at", models.DateTimeField(help_text="When Stripe moved it.")),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Booking",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("key", models.CharField(max_length=120, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("PURCHASE", "Blocks paid"),
                            ("INVOICE", "Bill paid"),
                            ("DEBT_PAYMENT", "Owed credits paid"),
                            ("BROUGHT_IN", "Paid elsewhere"),
                            ("REFUND", "Refund"),
                            ("REFUND_UNDONE", "Refund that failed"),
                            ("DISPUTE", "Dispute lost"),
                            ("FORFEIT", "Paid months that never came"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        help_text="The public id of its row.", max_length=120
                    ),
                ),
                (
                    "receivable",
                    models.BigIntegerField(
                        default=0,
                        help_text="Between Stripe's balance and what was settled here.",
                    ),
                ),
                (
                    "prepaid",
                    models.BigIntegerField(
                        default=0,
                        help_text="Paid for, and not granted yet: months to come.",
                    ),
                ),
                ("tax_payable", models.BigIntegerField(default=0)),
                (
                    "customer_credit",
                    models.BigIntegerField(
                        default=0,
                        help_text="What Stripe keeps of a negative bill for later ones.",
                    ),
                ),
                (
                    "revenue",
                    models.BigIntegerField(
                        default=0, help_text="Of plans without credits."
                    ),
                ),
                ("breakage", models.BigIntegerField(default=0)),
                ("refunds", models.BigIntegerField(default=0)),
                ("dispute_losses", models.BigIntegerField(default=0)),
                ("debt_recovered", models.BigIntegerField(default=0)),
                (
                    "proration",
                    models.BigIntegerField(
                        default=0, help_text="Billed, and in the cost of no credits."
                    ),
                ),
                (
                    "brought_in",
                    models.BigIntegerField(default=0, help_text="Paid elsewhere."),
                ),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.DeleteModel(
            name="StripeFee",
        ),
        migrations.AddIndex(
            model_name="balancemovement",
            index=models.Index(fields=["booked_at"], name="balance_movement_by_time"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["occurred_at"], name="booking_by_time"),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    receivable=-(
                        models.F("prepaid")
                        + models.F("tax_payable")
                        + models.F("customer_credit")
                        + models.F("revenue")
                        + models.F("breakage")
                        + models.F("refunds")
                        + models.F("dispute_losses")
                        + models.F("debt_recovered")
                        + models.F("proration")
                        + models.F("brought_in")
                    )
                ),
                name="booking_balances",
            ),
        ),
        migrations.AddConstraint(
            model_name="booking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "PURCHASE",
                            "INVOICE",
                            "DEBT_PAYMENT",
                            "BROUGHT_IN",
                            "REFUND",
                            "REFUND_UNDONE",
                            "DISPUTE",
                            "FORFEIT",
                        ],
                    )
                ),
                name="booking_kind_known",
            ),
        ),
        append_only("billing_balancemovement"),
        append_only("billing_booking"),
    ]
