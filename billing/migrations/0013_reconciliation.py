"""Our books beside Stripe's: comparisons, breaks and fees."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import billing.models.reconciliation


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_staff'),
        ('billing', '0012_disputes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(blank=True, help_text='Looks at what is newer. Empty: at everything.', null=True)),
                ('asked_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('missed', models.IntegerField(default=0, help_text='Events that Stripe told and nobody had received.')),
                ('compared', models.IntegerField(default=0, help_text="Stripe's objects.")),
                ('found', models.IntegerField(default=0, help_text='Breaks, new or seen before.')),
                ('repaired', models.IntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='StripeFee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stripe_balance_transaction_id', models.CharField(max_length=96, unique=True)),
                ('category', models.CharField(help_text="Stripe's reporting_category: charge, dispute, …", max_length=40)),
                ('source_id', models.CharField(help_text="Stripe's id of the charge or dispute.", max_length=96)),
                ('currency', models.CharField(max_length=3)),
                ('fee_cents', models.BigIntegerField()),
                ('booked_at', models.DateTimeField()),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
            ],
        ),
        migrations.CreateModel(
            name='Break',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.reconciliation.new_break_id, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('PAID_WITHOUT_GRANT', 'Paid without credits'), ('GRANT_WITHOUT_PAYMENT', 'Credits without payment'), ('DOUBLE_GRANT', 'Credits granted twice'), ('AMOUNT_DIFFERS', 'Amount differs'), ('CURRENCY_DIFFERS', 'Currency differs'), ('REFUND_UNPOSTED', 'Refund not posted'), ('REFUND_UNKNOWN', 'Refund unknown to Stripe'), ('DISPUTE_UNPOSTED', 'Dispute not posted'), ('ORPHAN_SESSION', 'Checkout without an order'), ('SUBSCRIPTION_DIFFERS', 'Plan differs'), ('INVOICE_DIFFERS', 'Invoice differs'), ('FEE_DIFFERS', 'Fee differs')], max_length=24)),
                ('subject', models.CharField(help_text="Stripe's id of what differs, or ours.", max_length=120)),
                ('here', models.JSONField(default=dict, help_text='What our books say.')),
                ('at_stripe', models.JSONField(default=dict, help_text="What Stripe's say.")),
                ('happened_at', models.DateTimeField(help_text='When that came about which differs.')),
                ('repair_kind', models.CharField(blank=True, help_text='What to look at again to repair it; empty: somebody has to decide.', max_length=60)),
                ('repair_id', models.CharField(blank=True, max_length=96)),
                ('state', models.CharField(choices=[('OPEN', 'Open'), ('REPAIRED', 'Repaired'), ('IGNORED', 'Ignored'), ('GONE', 'Gone by itself')], default='OPEN', max_length=8)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='accounts.account')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'OPEN')), fields=['first_seen_at'], name='break_open')],
                'constraints': [models.UniqueConstraint(models.F('kind'), models.F('subject'), name='break_one_row'), models.CheckConstraint(condition=models.Q(('kind__in', ['PAID_WITHOUT_GRANT', 'GRANT_WITHOUT_PAYMENT', 'DOUBLE_GRANT', 'AMOUNT_DIFFERS', 'CURRENCY_DIFFERS', 'REFUND_UNPOSTED', 'REFUND_UNKNOWN', 'DISPUTE_UNPOSTED', 'ORPHAN_SESSION', 'SUBSCRIPTION_DIFFERS', 'INVOICE_DIFFERS', 'FEE_DIFFERS'])), name='break_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 'OPEN')), models.Q(('closed_at__isnull', False), ('state__in', ['REPAIRED', 'IGNORED', 'GONE'])), _connector='OR'), name='break_closed_means_closed'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'IGNORED'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='break_ignored_for_a_reason')],
            },
        ),
        migrations.AddConstraint(
            model_name='reconciliation',
            constraint=models.UniqueConstraint(condition=models.Q(('started_at', None)), fields=('started_at',), name='reconciliation_one_waits', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='reconciliation',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at', None), ('started_at__isnull', False), _connector='OR'), name='reconciliation_finished_means_started'),
        ),
        migrations.AddIndex(
            model_name='stripefee',
            index=models.Index(fields=['booked_at'], name='stripe_fee_by_time'),
        ),
    ]
