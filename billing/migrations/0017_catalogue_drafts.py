"""Plans and blocks as staff draft them; a closed draft never changes."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import credits.models.draft

guard_drafts = import_module("credits.migrations.0007_rate_drafts").guard_drafts


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0016_bulk_and_make_good'),
        ('credits', '0007_rate_drafts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='OfferDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=credits.models.draft.new_draft_id, max_length=32, unique=True)),
                ('state', models.CharField(choices=[('OPEN', 'Open'), ('PUBLISHED', 'Published'), ('WITHDRAWN', 'Withdrawn')], default='OPEN', max_length=10)),
                ('starts_at', models.DateTimeField(blank=True, help_text='Empty: when it is published.', null=True)),
                ('drafted_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('based_on', models.IntegerField(help_text='The last version when it was begun.')),
                ('terms', models.JSONField(help_text='Amounts by their names.')),
                ('version', models.IntegerField(blank=True, help_text='What it was published as.', null=True)),
                ('priced_at', models.DateTimeField(blank=True, help_text='When Stripe knew its prices.', null=True)),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(blank=True, help_text='Empty: the blocks.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='drafts', to='billing.plan')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('priced_at', None), ('state', 'PUBLISHED')), fields=['id'], name='offerdraft_to_price')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None), ('state', 'OPEN')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state__in', ['PUBLISHED', 'WITHDRAWN'])), _connector='OR'), name='offerdraft_closed_means_closed'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'PUBLISHED'), ('version__isnull', False)), models.Q(models.Q(('state', 'PUBLISHED'), _negated=True), ('priced_at', None), ('version', None)), _connector='OR'), name='offerdraft_published_is_a_version')],
            },
        ),
        guard_drafts('billing_offerdraft', moves='priced_at'),
    ]
