"""A dispute that Stripe does not know is a break; a month costs what was not refunded."""

from __future__ import annotations

from django.db import migrations, models

# R100: until now what a refund took off a month was reckoned again at each reading.
REFUNDED = """
UPDATE billing_cycle AS cycle SET price_cents =
    cycle.price_cents - cycle.price_cents * (size - credits) / size
FROM (SELECT id AS version_id, cycle_credits AS size FROM billing_planversion) AS version
WHERE version_id = cycle.plan_version_id AND granted_at IS NULL AND credits < size
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0022_webhook_tests'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='break',
            name='break_kind_known',
        ),
        migrations.AlterField(
            model_name='break',
            name='kind',
            field=models.CharField(choices=[('PAID_WITHOUT_GRANT', 'Paid without credits'), ('GRANT_WITHOUT_PAYMENT', 'Credits without payment'), ('DOUBLE_GRANT', 'Credits granted twice'), ('AMOUNT_DIFFERS', 'Amount differs'), ('CURRENCY_DIFFERS', 'Currency differs'), ('REFUND_UNPOSTED', 'Refund not posted'), ('REFUND_UNKNOWN', 'Refund unknown to Stripe'), ('DISPUTE_UNPOSTED', 'Dispute not posted'), ('DISPUTE_UNKNOWN', 'Dispute unknown to Stripe'), ('ORPHAN_SESSION', 'Checkout without an order'), ('SUBSCRIPTION_DIFFERS', 'Plan differs'), ('INVOICE_DIFFERS', 'Invoice differs'), ('FEE_DIFFERS', 'Fee differs')], max_length=24),
        ),
        migrations.AddConstraint(
            model_name='break',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['PAID_WITHOUT_GRANT', 'GRANT_WITHOUT_PAYMENT', 'DOUBLE_GRANT', 'AMOUNT_DIFFERS', 'CURRENCY_DIFFERS', 'REFUND_UNPOSTED', 'REFUND_UNKNOWN', 'DISPUTE_UNPOSTED', 'DISPUTE_UNKNOWN', 'ORPHAN_SESSION', 'SUBSCRIPTION_DIFFERS', 'INVOICE_DIFFERS', 'FEE_DIFFERS'])), name='break_kind_known'),
        ),
        migrations.AlterField(
            model_name='cycle',
            name='price_cents',
            field=models.BigIntegerField(help_text='Net price of its credits: less what was refunded (R82, R100).'),
        ),
        migrations.RunSQL(REFUNDED, migrations.RunSQL.noop),
    ]
