"""Files of adjustments and incidents made good: decided on once, made once (R94)."""

import billing.models.bulk_file
import billing.models.make_good
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

# What was proposed never changes, what was decided is final, and what was done stays.
GUARD = """
CREATE FUNCTION guard_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_progress text[] := ARRAY['state', 'decided_by_id', 'decided_at',
        'decision_reason', 'done', 'finished_at', 'failures', 'given_credits'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('CHECKED', 'PROPOSED') THEN
            RAISE EXCEPTION 'batch_begins_as_proposed: % begins as %',
                NEW.public_id, NEW.state
                USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'batch_begins_as_proposed';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state <> 'CHECKED'
        AND to_jsonb(OLD) - v_progress <> to_jsonb(NEW) - v_progress
    THEN
        RAISE EXCEPTION 'batch_content_never_changes: % was proposed otherwise',
            OLD.public_id
            USING ERRCODE = 'restrict_violation',
                CONSTRAINT = 'batch_content_never_changes';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
            ('CHECKED', 'CHECKED'), ('CHECKED', 'PROPOSED'),
            ('PROPOSED', 'APPROVED'), ('PROPOSED', 'REJECTED'),
            ('PROPOSED', 'WITHDRAWN'), ('APPROVED', 'APPROVED'), ('APPROVED', 'DONE'))
        OR NEW.done < OLD.done
        OR (OLD.state = 'APPROVED' AND
            (OLD.decided_by_id, OLD.decided_at, OLD.decision_reason)
                IS DISTINCT FROM
            (NEW.decided_by_id, NEW.decided_at, NEW.decision_reason))
    THEN
        RAISE EXCEPTION 'batch_goes_one_way: % cannot go from % to %',
            OLD.public_id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'batch_goes_one_way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_guard BEFORE INSERT OR UPDATE ON billing_bulkfile
    FOR EACH ROW EXECUTE FUNCTION guard_batch();
CREATE TRIGGER batch_guard BEFORE INSERT OR UPDATE ON billing_makegood
    FOR EACH ROW EXECUTE FUNCTION guard_batch();
"""

# A row of a file is proposed by who proposed the file, and made once that is agreed to.
ROWS = """
CREATE FUNCTION guard_bulk_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_file billing_bulkfile;
BEGIN
    SELECT * INTO STRICT v_file FROM billing_bulkfile WHERE id = NEW.bulk_file_id;
    IF v_file.state <> 'APPROVED' OR NEW.proposed_by_id <> v_file.proposed_by_id
        OR NEW.approvals_needed < v_file.approvals_needed
        OR NEW.bulk_row > v_file.size
    THEN
        RAISE EXCEPTION 'bulk_row_of_an_approved_file: row % of %', NEW.bulk_row,
            v_file.public_id
            USING ERRCODE = 'check_violation',
                CONSTRAINT = 'bulk_row_of_an_approved_file';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bulk_row_guard BEFORE INSERT ON billing_adjustment
    FOR EACH ROW WHEN (NEW.bulk_file_id IS NOT NULL) EXECUTE FUNCTION guard_bulk_row();
"""

# Debits are found before anybody agrees, given back after it, and let go with a
# make-good that was dropped.
DEBITS = """
CREATE FUNCTION guard_make_good_debit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    SELECT state INTO STRICT v_state FROM billing_makegood
    WHERE id = coalesce(NEW.make_good_id, OLD.make_good_id);
    IF NOT (CASE TG_OP
        WHEN 'INSERT' THEN v_state = 'PROPOSED' AND NEW.given_credits IS NULL
        WHEN 'DELETE' THEN v_state IN ('REJECTED', 'WITHDRAWN')
        ELSE v_state = 'APPROVED' AND OLD.given_credits IS NULL
            AND to_jsonb(OLD) - 'given_credits' = to_jsonb(NEW) - 'given_credits'
    END) THEN
        RAISE EXCEPTION 'make_good_debit_once: % while it is %', TG_OP, v_state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'make_good_debit_once';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER make_good_debit_guard
    BEFORE INSERT OR UPDATE OR DELETE ON billing_makegooddebit
    FOR EACH ROW EXECUTE FUNCTION guard_make_good_debit();
"""

KEEP = """
CREATE TRIGGER is_never_deleted BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_staff_limits'),
        ('billing', '0015_adjustments'),
        ('credits', '0006_premium'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MakeGood',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('CHECKED', 'Checked'), ('PROPOSED', 'Waits for approval'), ('APPROVED', 'Under way'), ('DONE', 'Done'), ('REJECTED', 'Rejected'), ('WITHDRAWN', 'Withdrawn')], max_length=9)),
                ('comment', models.CharField(blank=True, help_text='Why; for staff alone.', max_length=500)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('credits', models.BigIntegerField(default=0, help_text='How many move, whichever way.')),
                ('limit_credits', models.BigIntegerField(default=0, help_text='What its maker could adjust alone at that moment.')),
                ('approvals_needed', models.SmallIntegerField(default=0, help_text='By how many others: 0 or 1.')),
                ('proposed_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('size', models.IntegerField(default=0, help_text='How many rows it has.')),
                ('done', models.IntegerField(default=0, help_text='How many of them are done.')),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('public_id', models.CharField(default=billing.models.make_good.new_make_good_id, max_length=32, unique=True)),
                ('features', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(help_text='Half-open: not included.')),
                ('reference_prefix', models.CharField(blank=True, max_length=120)),
                ('unit', models.CharField(max_length=10)),
                ('accounts', models.IntegerField(help_text='How many accounts are affected.')),
                ('cents', models.BigIntegerField(help_text='What the credits were paid with (R100).')),
                ('given_credits', models.BigIntegerField(default=0, help_text='How many have been given back.')),
                ('customer_note', models.CharField(help_text='What statements and e-mails say.', max_length=300)),
                ('form_key', models.CharField(max_length=120, unique=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MakeGoodDebit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credits', models.BigIntegerField(help_text='To be given back.')),
                ('cents', models.BigIntegerField(help_text='What they were paid with (R100).')),
                ('given_credits', models.BigIntegerField(blank=True, help_text='Given back; empty: not yet.', null=True)),
            ],
        ),
        migrations.AddField(
            model_name='adjustment',
            name='bulk_row',
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='BulkFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('CHECKED', 'Checked'), ('PROPOSED', 'Waits for approval'), ('APPROVED', 'Under way'), ('DONE', 'Done'), ('REJECTED', 'Rejected'), ('WITHDRAWN', 'Withdrawn')], max_length=9)),
                ('comment', models.CharField(blank=True, help_text='Why; for staff alone.', max_length=500)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('credits', models.BigIntegerField(default=0, help_text='How many move, whichever way.')),
                ('limit_credits', models.BigIntegerField(default=0, help_text='What its maker could adjust alone at that moment.')),
                ('approvals_needed', models.SmallIntegerField(default=0, help_text='By how many others: 0 or 1.')),
                ('proposed_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('size', models.IntegerField(default=0, help_text='How many rows it has.')),
                ('done', models.IntegerField(default=0, help_text='How many of them are done.')),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('public_id', models.CharField(default=billing.models.bulk_file.new_bulk_file_id, max_length=32, unique=True)),
                ('name', models.CharField(blank=True, help_text='Another name makes it another file.', max_length=120)),
                ('file_id', models.CharField(help_text='SHA-256 of its content and its name.', max_length=64, unique=True)),
                ('rows', models.JSONField(help_text='What it says, row by row, and what that does.')),
                ('errors', models.IntegerField(default=0, help_text='How many rows cannot be made.')),
                ('added', models.BigIntegerField(default=0, help_text='Credits added in all.')),
                ('removed', models.BigIntegerField(default=0, help_text='Credits removed in all.')),
                ('failures', models.JSONField(default=list, help_text='Rows that could no longer be made, and why.')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undoes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undoings', to='billing.bulkfile')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='adjustment',
            name='bulk_file',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The file that it is a row of (R94).', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='billing.bulkfile'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.UniqueConstraint(models.F('bulk_file'), models.F('bulk_row'), condition=models.Q(('bulk_file__isnull', False)), name='adjustment_one_per_row'),
        ),
        migrations.AddConstraint(
            model_name='adjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bulk_file', None), ('bulk_row', None)), models.Q(('bulk_file__isnull', False), ('bulk_row__gt', 0)), _connector='OR'), name='adjustment_of_a_file_has_its_row'),
        ),
        migrations.AddField(
            model_name='makegood',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='makegood',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='makegooddebit',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account'),
        ),
        migrations.AddField(
            model_name='makegooddebit',
            name='entry',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.ledgerentry'),
        ),
        migrations.AddField(
            model_name='makegooddebit',
            name='make_good',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='debits', to='billing.makegood'),
        ),
        migrations.AddIndex(
            model_name='bulkfile',
            index=models.Index(condition=models.Q(('state__in', ['PROPOSED', 'APPROVED'])), fields=['proposed_at'], name='bulkfile_open'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.GreaterThanOrEqual(django.db.models.functions.text.Length(django.db.models.functions.text.Trim('comment')), 10), models.Q(('state', 'CHECKED')), _connector='OR'), name='bulkfile_says_why'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'CHECKED'), models.Q(('approvals_needed', 0), ('credits__lte', models.F('limit_credits'))), ('approvals_needed', 1), _connector='OR'), name='bulkfile_above_the_limit_needs_another'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='bulkfile_is_not_approved_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state__in', ['CHECKED', 'PROPOSED'])), models.Q(('approvals_needed', 0), ('decided_by', None), ('state__in', ('APPROVED', 'DONE'))), models.Q(('approvals_needed', 1), ('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ('APPROVED', 'DONE'))), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'REJECTED'), models.Q(('decision_reason', ''), _negated=True)), models.Q(('decided_at__isnull', False), ('decided_by', None), ('state', 'WITHDRAWN')), _connector='OR'), name='bulkfile_decided_as_needed'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(('done__gte', 0), ('done__lte', models.F('size')), models.Q(models.Q(('state__in', ('APPROVED', 'DONE')), models.Q(models.Q(('done', models.F('size')), ('state', 'DONE')), models.Q(('state', 'DONE'), _negated=True), _connector='OR')), models.Q(models.Q(('state__in', ('APPROVED', 'DONE')), _negated=True), ('done', 0)), _connector='OR'), models.Q(models.Q(('finished_at__isnull', False), ('state', 'DONE')), models.Q(models.Q(('state', 'DONE'), _negated=True), ('finished_at', None)), _connector='OR')), name='bulkfile_done_means_all'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'CHECKED'), ('errors', 0), _connector='OR'), name='bulkfile_with_errors_is_not_proposed'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.CheckConstraint(condition=models.Q(('file_id__regex', '^[0-9a-f]{64}$')), name='bulkfile_has_its_id'),
        ),
        migrations.AddConstraint(
            model_name='bulkfile',
            constraint=models.UniqueConstraint(models.F('undoes'), condition=models.Q(('undoes__isnull', False), models.Q(('state__in', ['REJECTED', 'WITHDRAWN']), _negated=True)), name='bulkfile_undone_once'),
        ),
        migrations.AddIndex(
            model_name='makegood',
            index=models.Index(condition=models.Q(('state__in', ['PROPOSED', 'APPROVED'])), fields=['proposed_at'], name='makegood_open'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.GreaterThanOrEqual(django.db.models.functions.text.Length(django.db.models.functions.text.Trim('comment')), 10), models.Q(('state', 'CHECKED')), _connector='OR'), name='makegood_says_why'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'CHECKED'), models.Q(('approvals_needed', 0), ('credits__lte', models.F('limit_credits'))), ('approvals_needed', 1), _connector='OR'), name='makegood_above_the_limit_needs_another'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='makegood_is_not_approved_by_its_maker'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state__in', ['CHECKED', 'PROPOSED'])), models.Q(('approvals_needed', 0), ('decided_by', None), ('state__in', ('APPROVED', 'DONE'))), models.Q(('approvals_needed', 1), ('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ('APPROVED', 'DONE'))), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'REJECTED'), models.Q(('decision_reason', ''), _negated=True)), models.Q(('decided_at__isnull', False), ('decided_by', None), ('state', 'WITHDRAWN')), _connector='OR'), name='makegood_decided_as_needed'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(('done__gte', 0), ('done__lte', models.F('size')), models.Q(models.Q(('state__in', ('APPROVED', 'DONE')), models.Q(models.Q(('done', models.F('size')), ('state', 'DONE')), models.Q(('state', 'DONE'), _negated=True), _connector='OR')), models.Q(models.Q(('state__in', ('APPROVED', 'DONE')), _negated=True), ('done', 0)), _connector='OR'), models.Q(models.Q(('finished_at__isnull', False), ('state', 'DONE')), models.Q(models.Q(('state', 'DONE'), _negated=True), ('finished_at', None)), _connector='OR')), name='makegood_done_means_all'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(('credits__gt', 0), ('ends_at__gt', models.F('starts_at')), ('size__gt', 0), models.Q(('features', []), _negated=True), models.Q(('customer_note', ''), _negated=True), models.Q(('state', 'CHECKED'), _negated=True)), name='makegood_found_something'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.CheckConstraint(condition=models.Q(('given_credits__gte', 0), ('given_credits__lte', models.F('credits'))), name='makegood_gives_no_more_than_was_used'),
        ),
        migrations.AddIndex(
            model_name='makegooddebit',
            index=models.Index(condition=models.Q(('given_credits', None)), fields=['make_good', 'account', 'entry'], name='makegooddebit_to_give'),
        ),
        migrations.AddConstraint(
            model_name='makegooddebit',
            constraint=models.UniqueConstraint(models.F('make_good'), models.F('account'), models.F('entry'), name='makegooddebit_by_account'),
        ),
        migrations.AddConstraint(
            model_name='makegooddebit',
            constraint=models.CheckConstraint(condition=models.Q(('cents__gte', 0), ('credits__gt', 0), models.Q(('given_credits', None), models.Q(('given_credits__gte', 0), ('given_credits__lte', models.F('credits'))), _connector='OR')), name='makegooddebit_gives_what_was_used'),
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION guard_batch() CASCADE"),
        migrations.RunSQL(ROWS, "DROP FUNCTION guard_bulk_row() CASCADE"),
        migrations.RunSQL(DEBITS, "DROP FUNCTION guard_make_good_debit() CASCADE"),
        *(
            migrations.RunSQL(
                KEEP.format(table=table), f"DROP TRIGGER is_never_deleted ON {table}"
            )
            for table in ("billing_bulkfile", "billing_makegood")
        ),
    ]
