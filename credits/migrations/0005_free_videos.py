from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

guard = import_module("accounts.migrations.0002_append_only").guard


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0002_append_only"),
        ('credits', '0004_usage_days'),
    ]

    operations = [
        migrations.CreateModel(
            name='FreeVideo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.SmallIntegerField(help_text='1, 2 … in its month.')),
                ('quota', models.SmallIntegerField(help_text='How many there were in it.')),
                ('milliseconds', models.IntegerField()),
                ('reference', models.CharField(blank=True, max_length=120)),
                ('actor', models.CharField(help_text='What sent the claim.', max_length=120)),
                ('idempotency_key', models.CharField(max_length=120)),
                ('claimed_at', models.DateTimeField()),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='credits.wallet')),
            ],
            options={
                'indexes': [models.Index(fields=['wallet', 'claimed_at'], name='free_video_by_month')],
                'constraints': [models.UniqueConstraint(models.F('wallet'), models.F('idempotency_key'), name='free_video_one_per_key'), models.CheckConstraint(condition=models.Q(('milliseconds__gte', 1), ('number__gte', 1), ('number__lte', models.F('quota'))), name='free_video_within_quota')],
            },
        ),
        *guard("credits_freevideo"),
    ]
