"""Webhooks to the product's backend."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import billing.models.outgoing


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_staff'),
        ('billing', '0013_reconciliation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.IntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(blank=True, help_text="Also a sender's lease. Empty: it is over.", null=True)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('status', models.SmallIntegerField(blank=True, help_text='Of the answer. Empty: there was none.', null=True)),
                ('error', models.CharField(blank=True, max_length=200)),
                ('took_ms', models.IntegerField()),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='billing.delivery')),
            ],
        ),
        migrations.CreateModel(
            name='OutgoingMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.outgoing.new_message_id, max_length=32, unique=True)),
                ('key', models.CharField(help_text='Names the fact: it is told once.', max_length=200, unique=True)),
                ('kind', models.CharField(choices=[('balance.low', 'A balance is below one of its thresholds'), ('balance.depleted', 'A balance is used up'), ('credits.granted', 'Credits were added'), ('reload.failed', 'An auto-reload failed'), ('plan.changed', 'An account is on another plan')], max_length=40)),
                ('body', models.TextField(help_text='The JSON that is signed and sent.')),
                ('occurred_at', models.DateTimeField()),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
            ],
        ),
        migrations.AddField(
            model_name='delivery',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.outgoingmessage'),
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.outgoing.new_endpoint_id, max_length=32, unique=True)),
                ('url', models.URLField(max_length=500)),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('balance.low', 'A balance is below one of its thresholds'), ('balance.depleted', 'A balance is used up'), ('credits.granted', 'Credits were added'), ('reload.failed', 'An auto-reload failed'), ('plan.changed', 'An account is on another plan')], max_length=40), size=None)),
                ('secret_number', models.IntegerField(default=1)),
                ('old_secret_until', models.DateTimeField(blank=True, help_text='Until then the secret before it signs too.', null=True)),
                ('created_at', models.DateTimeField()),
                ('failing_since', models.DateTimeField(blank=True, help_text='Since when nothing has arrived there.', null=True)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('disabled_reason', models.CharField(blank=True, max_length=200)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='delivery',
            name='endpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='billing.webhookendpoint'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['balance.low', 'balance.depleted', 'credits.granted', 'reload.failed', 'plan.changed'])), name='outgoing_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.UniqueConstraint(models.F('url'), condition=models.Q(('removed_at', None)), name='webhook_endpoint_one_per_url'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('kinds__len__gt', 0)), name='webhook_endpoint_hears_something'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('kinds__contained_by', ['balance.low', 'balance.depleted', 'credits.granted', 'reload.failed', 'plan.changed'])), name='webhook_endpoint_kinds_known'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('secret_number__gte', 1)), name='webhook_endpoint_has_a_secret'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['endpoint', '-id'], name='delivery_by_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(models.F('message'), models.F('endpoint'), name='delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('delivered_at', None), ('next_attempt_at', None), _connector='OR'), name='delivery_arrived_means_over'),
        ),
    ]
