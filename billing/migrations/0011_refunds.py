"""Refunds, payments of debts, and which payment paid a bill."""

import billing.models.debt_payment
import billing.models.refund
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0010_payment_methods'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='stripe_payment_intent_id',
            field=models.CharField(blank=True, help_text='Of what was charged for it; empty: nothing was.', max_length=64, null=True, unique=True),
        ),
        migrations.CreateModel(
            name='DebtPayment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.debt_payment.new_debt_payment_id, max_length=32, unique=True)),
                ('state', models.CharField(choices=[('OPEN', 'Waiting for payment'), ('PAID', 'Paid'), ('EXPIRED', 'Not completed')], default='OPEN', max_length=7)),
                ('credits', models.BigIntegerField(help_text='What is owed no longer once paid.')),
                ('cents', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('stripe_session_id', models.CharField(blank=True, max_length=96, null=True, unique=True)),
                ('checkout_url', models.TextField(blank=True)),
                ('stripe_payment_intent_id', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('opened_at', models.DateTimeField()),
                ('paid_at', models.DateTimeField(blank=True, null=True)),
                ('next_check_at', models.DateTimeField(blank=True, help_text='When the sweeper looks; empty: it is settled.', null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='debt_payments', to='accounts.account')),
                ('payer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.refund.new_refund_id, max_length=32, unique=True)),
                ('asked_key', models.CharField(help_text='What asked for it: one wish, one refund.', max_length=120, unique=True)),
                ('stripe_refund_id', models.CharField(blank=True, max_length=96, null=True, unique=True)),
                ('state', models.CharField(choices=[('ASKED', 'Asked for'), ('PENDING', 'On its way'), ('DONE', 'Refunded'), ('FAILED', 'Failed')], default='ASKED', max_length=7)),
                ('amount_cents', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('takes_all_left', models.BooleanField(default=False, help_text='For all that is unspent, whatever was rounded (R77).')),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('failure', models.CharField(blank=True, help_text="Why it failed, in Stripe's words.", max_length=300)),
                ('credits_removed', models.BigIntegerField(default=0)),
                ('credits_expired', models.BigIntegerField(default=0, help_text='Had ended unspent: no longer breakage (R86).')),
                ('credits_to_come', models.BigIntegerField(default=0, help_text='Of paid months that had not begun: they never will.')),
                ('credits_waiting', models.BigIntegerField(default=0, help_text='Held by jobs: removed or owed once these have ended.')),
                ('debt_credits', models.BigIntegerField(default=0)),
                ('debt_cents', models.BigIntegerField(default=0)),
                ('asked_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, help_text='When the money had arrived, or had failed to.', null=True)),
                ('next_check_at', models.DateTimeField(blank=True, help_text='When the sweeper looks; empty: it is over.', null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='accounts.account')),
                ('debt_payment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.debtpayment')),
                ('invoice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.invoice')),
                ('purchase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='billing.purchase')),
                ('requested_by', models.ForeignKey(blank=True, help_text="Empty: the portal itself, or somebody in Stripe's dashboard.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddIndex(
            model_name='debtpayment',
            index=models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='debt_payment_due'),
        ),
        migrations.AddConstraint(
            model_name='debtpayment',
            constraint=models.UniqueConstraint(models.F('account'), condition=models.Q(('state', 'OPEN')), name='debt_payment_one_open_per_account'),
        ),
        migrations.AddConstraint(
            model_name='debtpayment',
            constraint=models.CheckConstraint(condition=models.Q(('cents__gt', 0), ('credits__gt', 0)), name='debt_payment_amounts_positive'),
        ),
        migrations.AddConstraint(
            model_name='debtpayment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paid_at__isnull', False), ('state', 'PAID'), ('stripe_payment_intent_id__isnull', False)), models.Q(('paid_at', None), ('state__in', ['OPEN', 'EXPIRED'])), _connector='OR'), name='debt_payment_paid_means_paid'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='refund_due'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['account', '-asked_at'], name='refund_by_account'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('debt_payment__isnull', True), ('invoice__isnull', True), ('purchase__isnull', False)), models.Q(('debt_payment__isnull', True), ('invoice__isnull', False), ('purchase__isnull', True)), models.Q(('debt_payment__isnull', False), ('invoice__isnull', True), ('purchase__isnull', True)), _connector='OR'), name='refund_of_one_payment'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['ASKED', 'PENDING', 'DONE', 'FAILED'])), name='refund_state_known'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0), ('credits_expired__gte', 0), ('credits_removed__gte', 0), ('credits_to_come__gte', 0), ('credits_waiting__gte', 0), ('debt_cents__gte', 0), ('debt_credits__gte', 0)), name='refund_amounts_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ASKED'), _negated=True), models.Q(('credits_expired', 0), ('credits_removed', 0), ('credits_to_come', 0), ('debt_credits', 0), ('stripe_refund_id', None)), _connector='OR'), name='refund_moves_nothing_before_stripe_does'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state__in', ['ASKED', 'PENDING'])), models.Q(('settled_at__isnull', False), ('state__in', ['DONE', 'FAILED'])), _connector='OR'), name='refund_settled_means_settled'),
        ),
    ]
