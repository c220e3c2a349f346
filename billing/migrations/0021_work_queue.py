"""What waits for somebody of the staff; bills are found by their number."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import billing.models.work_item


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_finding'),
        ('billing', '0020_exports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WorkItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.work_item.new_work_id, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('UNBILLED_JOB', 'Unbilled job'), ('MISSING_RATE', 'Missing rate'), ('ABSORBED_COST', 'Cost above the quote'), ('UNKNOWN_WEBHOOK', 'Webhook of nobody known')], max_length=16)),
                ('subject', models.CharField(help_text='What it is about: the same thing is one row.', max_length=120)),
                ('facts', models.JSONField(default=dict, help_text='What was known when last seen.')),
                ('credits', models.BigIntegerField(default=0, help_text='Not charged: what it is about, or the sum of it.')),
                ('times_seen', models.BigIntegerField(default=1, help_text='The same is counted once a minute at most.')),
                ('state', models.CharField(choices=[('OPEN', 'Open'), ('DONE', 'Done'), ('IGNORED', 'Ignored')], default='OPEN', max_length=7)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('outcome', models.CharField(blank=True, help_text='What became of it, or why it may stay.', max_length=500)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='work_items', to='accounts.account')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'OPEN')), fields=['first_seen_at'], name='work_item_open')],
                'constraints': [models.UniqueConstraint(models.F('kind'), models.F('subject'), name='work_item_one_row'), models.CheckConstraint(condition=models.Q(('kind__in', ['UNBILLED_JOB', 'MISSING_RATE', 'ABSORBED_COST', 'UNKNOWN_WEBHOOK'])), name='work_item_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 'OPEN')), models.Q(('closed_at__isnull', False), ('state__in', ['DONE', 'IGNORED'])), _connector='OR'), name='work_item_closed_means_closed'), models.CheckConstraint(condition=models.Q(('state', 'OPEN'), models.Q(('outcome', ''), _negated=True), _connector='OR'), name='work_item_closed_for_a_reason'), models.CheckConstraint(condition=models.Q(('credits__gte', 0), ('times_seen__gte', 1)), name='work_item_counts_make_sense')],
            },
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('number', ''), _negated=True), fields=['number'], name='invoice_by_number'),
        ),
    ]
