import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('credits', '0003_alerts'),
    ]

    operations = [
        migrations.CreateModel(
            name='UsageMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('zone', models.CharField(max_length=64)),
                ('seq', models.BigIntegerField(help_text='Entries after it are not in the days.')),
                ('wallet', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='usage_marks', to='credits.wallet')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('wallet'), models.F('zone'), name='usage_mark_one_per_wallet_and_zone')],
            },
        ),
        migrations.CreateModel(
            name='UsageDay',
            fields=[
                ('pk', models.CompositePrimaryKey('mark_id', 'day', 'feature', 'member', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(help_text="Of the mark's time zone (R16).")),
                ('feature', models.CharField(max_length=40)),
                ('member', models.CharField(blank=True, max_length=254)),
                ('quantity', models.BigIntegerField()),
                ('credits', models.BigIntegerField()),
                ('rate_version', models.IntegerField(help_text='The newest of them.')),
                ('first_seq', models.BigIntegerField(help_text='Number of the first entry in it.')),
                ('last_seq', models.BigIntegerField(help_text='Number of the last entry in it.')),
                ('mark', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='credits.usagemark')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('first_seq__gte', 1), ('last_seq__gte', models.F('first_seq')), ('quantity__gte', 0)), name='usage_day_sums_entries')],
            },
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(condition=models.Q(('kind', 'GRANT'), ('kind', 'EXPIRE'), _connector='OR'), fields=['wallet', 'kind', 'seq'], name='entry_seldom_kind'),
        ),
    ]
