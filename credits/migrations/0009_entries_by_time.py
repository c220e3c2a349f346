"""Find entries by time, whatever their wallet."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('credits', '0008_watched_below'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='ledgerentry',
            index=BrinIndex(
                fields=['occurred_at', 'created_at'],
                name='entry_by_time',
                autosummarize=True,
            ),
        ),
    ]
