"""Make-goods by feature, each part of a job once; undone as a whole; limits counted."""

import django.db.models.deletion
from django.db import migrations, models

# It answers with one more column, and is loaded again after this.
DROP = """
DROP FUNCTION IF EXISTS
    billing_affected_debits(text[], timestamptz, timestamptz, text, text, integer)
"""

# No release has known such rows: of several features the first stands for all.
NAMED = """
ALTER TABLE billing_makegooddebit DISABLE TRIGGER make_good_debit_guard;
UPDATE billing_makegooddebit AS debit SET feature = (
    SELECT min(line.feature) FROM credits_usageline AS line
    WHERE line.entry_id = debit.entry_id AND line.feature = ANY (make_good.features)
) FROM billing_makegood AS make_good WHERE make_good.id = debit.make_good_id;
ALTER TABLE billing_makegooddebit ENABLE TRIGGER make_good_debit_guard;
"""

# What was found is of what the job used; what is taken back, of what came back.
DEBITS = """
CREATE OR REPLACE FUNCTION guard_make_good_debit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_make_good billing_makegood;
    v_most bigint;
BEGIN
    SELECT * INTO STRICT v_make_good FROM billing_makegood
    WHERE id = coalesce(NEW.make_good_id, OLD.make_good_id);
    IF NOT (CASE TG_OP
        WHEN 'INSERT' THEN v_make_good.state = 'PROPOSED' AND NEW.given_credits IS NULL
        WHEN 'DELETE' THEN v_make_good.state IN ('REJECTED', 'WITHDRAWN')
        ELSE v_make_good.state = 'APPROVED' AND OLD.given_credits IS NULL
            AND to_jsonb(OLD) - 'given_credits' = to_jsonb(NEW) - 'given_credits'
    END) THEN
        RAISE EXCEPTION 'make_good_debit_once: % while it is %', TG_OP, v_make_good.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'make_good_debit_once';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF v_make_good.undoes_id IS NULL THEN
            SELECT sum(line.credits) INTO v_most
            FROM credits_usageline AS line
            WHERE line.entry_id = NEW.entry_id AND line.feature = NEW.feature
                AND line.feature = ANY (v_make_good.features);
        ELSE
            SELECT entry.credits INTO v_most
            FROM credits_ledgerentry AS entry
            WHERE entry.id = NEW.entry_id AND entry.kind = 'REVERSE' AND starts_with(
                entry.idempotency_key, 'make-good:' || v_make_good.undoes_id || ':');
        END IF;
        IF v_most IS NULL OR NEW.credits > v_most THEN
            RAISE EXCEPTION 'make_good_debit_of_what_moved: % of %, of %',
                NEW.credits, NEW.feature, coalesce(v_most, 0)
                USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'make_good_debit_of_what_moved';
        END IF;
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
"""

# R91: what somebody may move alone is counted here, and no more is believed.
LIMITS = """
CREATE FUNCTION guard_staff_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two proposals of one person at once share their limit.
    PERFORM FROM accounts_user WHERE id = NEW.proposed_by_id FOR NO KEY UPDATE;
    IF NEW.limit_credits > billing_staff_room(NEW.proposed_by_id, NEW.proposed_at) THEN
        RAISE EXCEPTION 'staff_limit_is_counted: % is more than user % may move alone',
            NEW.limit_credits, NEW.proposed_by_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'staff_limit_is_counted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER staff_limit_guard BEFORE INSERT ON billing_adjustment
    FOR EACH ROW WHEN (NEW.approvals_needed = 0) EXECUTE FUNCTION guard_staff_limit();
CREATE TRIGGER staff_limit_guard BEFORE INSERT ON billing_makegood
    FOR EACH ROW WHEN (NEW.approvals_needed = 0) EXECUTE FUNCTION guard_staff_limit();
-- The undoing of a file is proposed from the start, a file after it was checked.
CREATE TRIGGER staff_limit_guard_of_undoings BEFORE INSERT ON billing_bulkfile
    FOR EACH ROW WHEN (NEW.state = 'PROPOSED' AND NEW.approvals_needed = 0)
    EXECUTE FUNCTION guard_staff_limit();
CREATE TRIGGER staff_limit_guard BEFORE UPDATE ON billing_bulkfile
    FOR EACH ROW WHEN (OLD.state = 'CHECKED' AND NEW.state = 'PROPOSED'
        AND NEW.approvals_needed = 0)
    EXECUTE FUNCTION guard_staff_limit();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_finding'),
        ('billing', '0023_breaks_and_months'),
        ('credits', '0007_rate_drafts'),
    ]

    operations = [
        migrations.RunSQL(DROP, DROP),
        migrations.RemoveConstraint(
            model_name='makegooddebit',
            name='makegooddebit_by_account',
        ),
        migrations.RemoveIndex(
            model_name='makegooddebit',
            name='makegooddebit_to_give',
        ),
        migrations.AddField(
            model_name='makegood',
            name='undoes',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undoings', to='billing.makegood'),
        ),
        migrations.AddField(
            model_name='makegooddebit',
            name='feature',
            field=models.CharField(blank=True, default='', max_length=40),
            preserve_default=False,
        ),
        migrations.RunSQL(NAMED, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='makegooddebit',
            name='credits',
            field=models.BigIntegerField(help_text='To be given back, or taken back.'),
        ),
        migrations.AlterField(
            model_name='makegooddebit',
            name='entry',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='That charged the job; of an undoing, that gave it back.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.ledgerentry'),
        ),
        migrations.AlterField(
            model_name='makegooddebit',
            name='given_credits',
            field=models.BigIntegerField(blank=True, help_text='That really moved; empty: none yet.', null=True),
        ),
        migrations.AddIndex(
            model_name='makegooddebit',
            index=models.Index(condition=models.Q(('given_credits', None)), fields=['make_good', 'account', 'entry', 'feature'], name='makegooddebit_to_give'),
        ),
        migrations.AddConstraint(
            model_name='makegood',
            constraint=models.UniqueConstraint(models.F('undoes'), condition=models.Q(('undoes__isnull', False), models.Q(('state__in', ['REJECTED', 'WITHDRAWN']), _negated=True)), name='makegood_undone_once'),
        ),
        migrations.AddConstraint(
            model_name='makegooddebit',
            constraint=models.UniqueConstraint(models.F('entry'), models.F('feature'), name='makegooddebit_once'),
        ),
        migrations.AddConstraint(
            model_name='makegooddebit',
            constraint=models.UniqueConstraint(models.F('make_good'), models.F('account'), models.F('entry'), models.F('feature'), name='makegooddebit_by_account'),
        ),
        migrations.RunSQL(DEBITS, migrations.RunSQL.noop),
        migrations.RunSQL(LIMITS, "DROP FUNCTION guard_staff_limit() CASCADE"),
    ]
