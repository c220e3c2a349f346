"""Rate cards as staff draft them; a closed draft never changes."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import credits.models.draft

STAYS = """
CREATE TRIGGER closed_draft_stays BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (
        OLD.state <> 'OPEN'
        AND to_jsonb(OLD) - '{moves}' <> to_jsonb(NEW) - '{moves}'
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER is_never_deleted BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
GOES = """
DROP TRIGGER closed_draft_stays ON {table};
DROP TRIGGER is_never_deleted ON {table};
DROP TRIGGER append_only_whole ON {table};
"""


def guard_drafts(table, *, moves):
    """Return what lets only one column move in the drafts that are closed."""
    names = {"table": table, "moves": moves}
    return migrations.RunSQL(STAYS.format(**names), GOES.format(**names))


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_append_only'),
        ('credits', '0006_premium'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RateDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=credits.models.draft.new_draft_id, max_length=32, unique=True)),
                ('state', models.CharField(choices=[('OPEN', 'Open'), ('PUBLISHED', 'Published'), ('WITHDRAWN', 'Withdrawn')], default='OPEN', max_length=10)),
                ('starts_at', models.DateTimeField(blank=True, help_text='Empty: when it is published.', null=True)),
                ('drafted_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('lines', models.JSONField(help_text='One object a feature, in the order shown.')),
                ('told_up_to', models.BigIntegerField(blank=True, help_text='The last wallet that was told; empty: nobody waits to be.', null=True)),
                ('based_on', models.ForeignKey(help_text='The last version of its rate plan when it was begun.', on_delete=django.db.models.deletion.PROTECT, related_name='drafts', to='credits.ratecard')),
                ('card', models.OneToOneField(blank=True, help_text='What it was published as.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='draft', to='credits.ratecard')),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('drafted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('told_up_to__isnull', False)), fields=['id'], name='ratedraft_to_tell')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None), ('state', 'OPEN')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state__in', ['PUBLISHED', 'WITHDRAWN'])), _connector='OR'), name='ratedraft_closed_means_closed'), models.CheckConstraint(condition=models.Q(models.Q(('card__isnull', False), ('state', 'PUBLISHED')), models.Q(models.Q(('state', 'PUBLISHED'), _negated=True), ('card', None), ('told_up_to', None)), _connector='OR'), name='ratedraft_published_is_a_card')],
            },
        ),
        guard_drafts('credits_ratedraft', moves='told_up_to'),
    ]
