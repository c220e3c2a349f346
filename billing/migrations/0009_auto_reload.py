"""Auto-reload, and purchases that nobody clicks for."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0008_legacy_leaving'),
    ]

    operations = [
        migrations.CreateModel(
            name='AutoReload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=False)),
                ('threshold', models.BigIntegerField(help_text='Below so many available credits.')),
                ('blocks', models.IntegerField(help_text='At least so many at once.')),
                ('largest_charge_cents', models.BigIntegerField()),
                ('monthly_cap_cents', models.BigIntegerField(help_text='With tax, a cycle month.')),
                ('monthly_cap_count', models.IntegerField()),
                ('stripe_payment_method_id', models.CharField(max_length=64)),
                ('card_fingerprint', models.CharField(max_length=64)),
                ('card_brand', models.CharField(max_length=32)),
                ('card_last4', models.CharField(max_length=4)),
                ('card_exp_month', models.SmallIntegerField()),
                ('card_exp_year', models.SmallIntegerField()),
                ('version', models.IntegerField(default=1, help_text='Rises with each change, so that two do not collide (R56).')),
                ('suspension', models.CharField(blank=True, choices=[('DECLINED', 'The bank refused the card'), ('NOT_CONFIRMED', 'A payment was not confirmed with the bank')], max_length=13)),
                ('suspended_at', models.DateTimeField(blank=True, null=True)),
                ('failed_fingerprint', models.CharField(blank=True, help_text='Of the card that another has to replace.', max_length=64)),
                ('looked_at', models.DateTimeField(blank=True, help_text='The sweeper begins with the longest ago.', null=True)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Reload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trigger', models.CharField(choices=[('THRESHOLD', 'Credits fell below the threshold'), ('REFUSED_JOB', 'A job needed more credits'), ('SETTINGS', 'The settings were saved')], max_length=11)),
                ('state', models.CharField(choices=[('CREATED', 'Started'), ('PROCESSING', 'Being charged'), ('WAITING', 'Declined, tried again later'), ('NEEDS_ACTION', 'Needs you to confirm it'), ('PAID', 'Paid'), ('FAILED', 'Failed'), ('CANCELED', 'Not needed any more')], default='CREATED', max_length=12)),
                ('available', models.BigIntegerField(help_text='Credits when it began.')),
                ('threshold', models.BigIntegerField()),
                ('needed', models.BigIntegerField(default=0, help_text='By a refused job; or 0.')),
                ('stripe_payment_method_id', models.CharField(max_length=64)),
                ('card_fingerprint', models.CharField(max_length=64)),
                ('card_last4', models.CharField(max_length=4)),
                ('attempt', models.IntegerField(default=0, help_text='Goes into the idempotency key: reload:<row>:<attempt>.')),
                ('asked_at', models.DateTimeField(blank=True, help_text="When Stripe first heard this attempt's key.", null=True)),
                ('last_payment_id', models.CharField(blank=True, help_text="Stripe's id of the last attempt.", max_length=64)),
                ('declines', models.IntegerField(default=0)),
                ('decline_code', models.CharField(blank=True, max_length=64)),
                ('canceled_because', models.CharField(blank=True, max_length=14)),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('action_expires_at', models.DateTimeField(blank=True, null=True)),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ReloadSkip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('PENDING', 'PENDING'), ('NOT_SOLD', 'NOT_SOLD'), ('PAST_DUE', 'PAST_DUE'), ('FROZEN', 'FROZEN'), ('DEBT', 'DEBT'), ('PLAN_ENDING', 'PLAN_ENDING'), ('BILL_COMING', 'BILL_COMING'), ('SUSPENDED', 'SUSPENDED'), ('COOL_OFF', 'COOL_OFF'), ('NOTHING_USED', 'NOTHING_USED'), ('CAP_MONEY', 'CAP_MONEY'), ('CAP_COUNT', 'CAP_COUNT'), ('LARGEST_CHARGE', 'LARGEST_CHARGE'), ('NEEDS_MORE', 'NEEDS_MORE')], max_length=14)),
                ('situation', models.CharField(help_text='What makes it another one: a month, a bill, a reload.', max_length=80)),
                ('available', models.BigIntegerField()),
                ('threshold', models.BigIntegerField()),
                ('needed', models.BigIntegerField(default=0)),
                ('month_cents', models.BigIntegerField(help_text='Charged in the month until then.')),
                ('month_count', models.IntegerField()),
                ('skipped_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='purchase',
            name='origin',
            field=models.CharField(choices=[('CHECKOUT', 'Bought'), ('RELOAD', 'Auto-reload')], db_default='CHECKOUT', default='CHECKOUT', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='purchase',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['CHECKOUT', 'RELOAD'])), name='purchase_origin_known'),
        ),
        migrations.AddField(
            model_name='autoreload',
            name='account',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='auto_reload', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='autoreload',
            name='consent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.consent'),
        ),
        migrations.AddField(
            model_name='reload',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reloads', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='reload',
            name='purchase',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reload', to='billing.purchase'),
        ),
        migrations.AddField(
            model_name='reloadskip',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reload_skips', to='accounts.account'),
        ),
        migrations.AddIndex(
            model_name='autoreload',
            index=models.Index(condition=models.Q(('is_on', True)), fields=['looked_at'], name='auto_reload_on'),
        ),
        migrations.AddConstraint(
            model_name='autoreload',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gt', 0)), name='auto_reload_threshold_positive'),
        ),
        migrations.AddConstraint(
            model_name='autoreload',
            constraint=models.CheckConstraint(condition=models.Q(('blocks__gte', 1), ('monthly_cap_count__gte', 1), ('largest_charge_cents__gt', 0), ('monthly_cap_cents__gte', models.F('largest_charge_cents'))), name='auto_reload_limits_make_sense'),
        ),
        migrations.AddConstraint(
            model_name='autoreload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('failed_fingerprint', ''), ('suspended_at', None), ('suspension', '')), models.Q(('suspended_at__isnull', False), ('suspension__in', ['DECLINED', 'NOT_CONFIRMED'])), _connector='OR'), name='auto_reload_suspension_has_a_reason'),
        ),
        migrations.AddIndex(
            model_name='reload',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='reload_due'),
        ),
        migrations.AddIndex(
            model_name='reload',
            index=models.Index(fields=['account', '-began_at'], name='reload_by_account'),
        ),
        migrations.AddConstraint(
            model_name='reload',
            constraint=models.UniqueConstraint(models.F('account'), condition=models.Q(('state__in', ('CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION'))), name='reload_one_in_flight_per_account'),
        ),
        migrations.AddConstraint(
            model_name='reload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ('CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION'))), models.Q(models.Q(('state__in', ('CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION')), _negated=True), ('ended_at__isnull', False), ('next_attempt_at', None)), _connector='OR'), name='reload_in_flight_until_it_ended'),
        ),
        migrations.AddConstraint(
            model_name='reload',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['CREATED', 'PROCESSING', 'WAITING', 'NEEDS_ACTION', 'PAID', 'FAILED', 'CANCELED']), ('trigger__in', ['THRESHOLD', 'REFUSED_JOB', 'SETTINGS']), ('attempt__gte', 0), ('declines__gte', 0), ('needed__gte', 0)), name='reload_is_known'),
        ),
        migrations.AddConstraint(
            model_name='reload',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'NEEDS_ACTION'), _negated=True), ('action_expires_at__isnull', False), _connector='OR'), name='reload_action_ends'),
        ),
        migrations.AddIndex(
            model_name='reloadskip',
            index=models.Index(fields=['account', '-skipped_at'], name='skip_by_account'),
        ),
        migrations.AddConstraint(
            model_name='reloadskip',
            constraint=models.UniqueConstraint(models.F('account'), models.F('reason'), models.F('situation'), name='reload_skip_once_told'),
        ),
    ]

