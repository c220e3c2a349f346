"""Tables that staff asked for as files."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import billing.models.export


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0019_books"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.export.new_export_id, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('STATEMENT', 'Statement of an account'), ('LEDGER', 'Ledger'), ('USAGE', 'Usage'), ('PURCHASES', 'Purchases'), ('INVOICES', 'Bills'), ('REFUNDS', 'Refunds'), ('DISPUTES', 'Disputes'), ('LIABILITY', 'Credit liability'), ('REVENUE', 'Revenue and breakage'), ('DEFERRED', 'Deferred revenue'), ('JOURNAL', 'Journal'), ('AUDIT', 'Audit trail')], max_length=9)),
                ('format', models.CharField(choices=[('CSV', 'CSV'), ('XLSX', 'XLSX')], max_length=4)),
                ('since', models.DateTimeField(help_text="The period's first instant.")),
                ('until', models.DateTimeField(help_text='The first instant after the period.')),
                ('state', models.CharField(choices=[('ASKED', 'Waiting'), ('RUNNING', 'Being made'), ('READY', 'Ready'), ('FAILED', 'Failed'), ('CANCELED', 'Canceled'), ('EXPIRED', 'Deleted')], default='ASKED', max_length=8)),
                ('asked_at', models.DateTimeField()),
                ('attempts', models.SmallIntegerField(default=0, help_text='Each is of one worker; only the last one counts.')),
                ('lease_ends_at', models.DateTimeField(blank=True, help_text='From then on another worker may begin anew.', null=True)),
                ('rows_done', models.BigIntegerField(default=0)),
                ('rows_total', models.BigIntegerField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('file_name', models.CharField(blank=True, help_text='In the storage for exports.', max_length=120)),
                ('size', models.BigIntegerField(blank=True, help_text='Bytes.', null=True)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('expires_at', models.DateTimeField(blank=True, help_text='When the file is deleted.', null=True)),
                ('mailed_at', models.DateTimeField(blank=True, help_text='Told by mail, since it took long.', null=True)),
                ('error', models.CharField(blank=True, help_text='For people.', max_length=300)),
                ('account', models.ForeignKey(blank=True, help_text='Empty: of all accounts.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['requested_by', '-asked_at'], name='export_by_asker'), models.Index(condition=models.Q(('state__in', ('ASKED', 'RUNNING'))), fields=['asked_at'], name='export_unfinished'), models.Index(condition=models.Q(('state', 'READY')), fields=['expires_at'], name='export_file_ends')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['STATEMENT', 'LEDGER', 'USAGE', 'PURCHASES', 'INVOICES', 'REFUNDS', 'DISPUTES', 'LIABILITY', 'REVENUE', 'DEFERRED', 'JOURNAL', 'AUDIT'])), name='export_kind_known'), models.CheckConstraint(condition=models.Q(('format__in', ['CSV', 'XLSX'])), name='export_format_known'), models.CheckConstraint(condition=models.Q(('state__in', ['ASKED', 'RUNNING', 'READY', 'FAILED', 'CANCELED', 'EXPIRED'])), name='export_state_known'), models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='export_period_not_empty'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'STATEMENT'), _negated=True), ('account__isnull', False), _connector='OR'), name='export_statement_has_an_account'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('LIABILITY', 'REVENUE', 'DEFERRED', 'JOURNAL')), _negated=True), ('account', None), _connector='OR'), name='export_report_is_of_all'), models.CheckConstraint(condition=models.Q(models.Q(('lease_ends_at__isnull', False), ('state', 'RUNNING')), models.Q(models.Q(('state', 'RUNNING'), _negated=True), ('lease_ends_at', None)), _connector='OR'), name='export_running_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('state__in', ('ASKED', 'RUNNING'))), models.Q(models.Q(('state__in', ('ASKED', 'RUNNING')), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='export_finished_means_finished'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'READY'), models.Q(('file_name', ''), _negated=True)), models.Q(models.Q(('state', 'READY'), _negated=True), ('file_name', '')), _connector='OR'), name='export_ready_has_a_file'), models.CheckConstraint(condition=models.Q(models.Q(('expires_at__isnull', False), ('rows_done', models.F('rows_total')), ('rows_total__isnull', False), ('sha256__regex', '^[0-9a-f]{64}$'), ('size__isnull', False), ('state__in', ('READY', 'EXPIRED'))), models.Q(models.Q(('state__in', ('READY', 'EXPIRED')), _negated=True), ('expires_at', None), ('sha256', ''), ('size', None)), _connector='OR'), name='export_made_means_whole'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'FAILED'), models.Q(('error', ''), _negated=True)), models.Q(models.Q(('state', 'FAILED'), _negated=True), ('error', '')), _connector='OR'), name='export_failed_for_a_reason'), models.CheckConstraint(condition=models.Q(('attempts__gte', 0), ('rows_done__gte', 0), models.Q(('rows_total', None), ('rows_total__gte', models.F('rows_done')), _connector='OR')), name='export_counts_not_negative')],
            },
        ),
    ]
