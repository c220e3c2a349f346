"""Adjustments by the staff, and what the database refuses of them (R35, R79, R91-R95)."""

from importlib import import_module

import billing.models.adjustment
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

guards = import_module("credits.migrations.0002_guards")

# What a batch adds to a row is content too: only these columns ever change.
GUARD = """
CREATE FUNCTION guard_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_progress text[] := ARRAY['state', 'first_approved_by_id', 'first_approved_at',
        'decided_by_id', 'decided_at', 'decision_reason', 'entry_id', 'made_at'];
    v_reversed billing_adjustment;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PROPOSED' OR NEW.first_approved_by_id IS NOT NULL THEN
            RAISE EXCEPTION 'adjustment_begins_as_proposed: % begins as %',
                NEW.public_id, NEW.state
                USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'adjustment_begins_as_proposed';
        END IF;
        IF NEW.kind = 'REVERSAL' THEN
            SELECT * INTO v_reversed FROM billing_adjustment
            WHERE id = NEW.reverses_id;
            IF v_reversed.state <> 'MADE' OR v_reversed.kind NOT IN ('ADD', 'REMOVE')
                OR (v_reversed.account_id, v_reversed.unit)
                    IS DISTINCT FROM (NEW.account_id, NEW.unit)
                OR NEW.credits > v_reversed.credits
            THEN
                RAISE EXCEPTION 'adjustment_reverses_what_was_made: % cannot be reversed',
                    v_reversed.public_id
                    USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'adjustment_reverses_what_was_made';
            END IF;
        END IF;
        RETURN NEW;
    END IF;
    IF to_jsonb(OLD) - v_progress <> to_jsonb(NEW) - v_progress THEN
        RAISE EXCEPTION 'adjustment_content_never_changes: % was proposed otherwise',
            OLD.public_id
            USING ERRCODE = 'restrict_violation',
                CONSTRAINT = 'adjustment_content_never_changes';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
            ('PROPOSED', 'PROPOSED'), ('PROPOSED', 'APPROVED'),
            ('PROPOSED', 'REJECTED'), ('PROPOSED', 'WITHDRAWN'), ('APPROVED', 'MADE'))
        OR (OLD.first_approved_by_id IS NOT NULL AND
            (OLD.first_approved_by_id, OLD.first_approved_at)
                IS DISTINCT FROM (NEW.first_approved_by_id, NEW.first_approved_at))
        OR (OLD.state <> 'PROPOSED' AND
            (OLD.first_approved_by_id, OLD.decided_by_id, OLD.decided_at,
                OLD.decision_reason)
            IS DISTINCT FROM (NEW.first_approved_by_id, NEW.decided_by_id,
                NEW.decided_at, NEW.decision_reason))
    THEN
        RAISE EXCEPTION 'adjustment_goes_one_way: % cannot go from % to %',
            OLD.public_id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation',
                CONSTRAINT = 'adjustment_goes_one_way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER adjustment_guard BEFORE INSERT OR UPDATE ON billing_adjustment
    FOR EACH ROW EXECUTE FUNCTION guard_adjustment();
"""

# R35: the one way back is an adjustment that two others have approved, while it is
# being made. All other ways stay closed (R34).
LEGACY = """
CREATE FUNCTION guard_legacy_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_planversion AS version
        JOIN billing_plan AS plan ON plan.id = version.plan_id
        WHERE version.id = NEW.plan_version_id AND plan.family = 'LEGACY'
    ) AND NOT EXISTS (
        SELECT 1 FROM billing_adjustment AS adjustment
        WHERE adjustment.subscription_id = NEW.id AND adjustment.state = 'APPROVED'
            AND adjustment.kind = 'RESTORE_LEGACY'
            AND adjustment.account_id = NEW.account_id
    ) THEN
        RAISE EXCEPTION 'legacy_never_entered: account % cannot return to a legacy plan',
            NEW.account_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legacy_never_entered';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER legacy_never_entered_after_its_end ON billing_subscription;
CREATE TRIGGER legacy_never_entered_after_its_end
    BEFORE UPDATE OF ended_at ON billing_subscription
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL)
    EXECUTE FUNCTION guard_legacy_return();
"""
UNLEGACY = """
DROP FUNCTION guard_legacy_return() CASCADE;
CREATE TRIGGER legacy_never_entered_after_its_end
    BEFORE UPDATE OF ended_at ON billing_subscription
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL)
    EXECUTE FUNCTION guard_legacy_plans();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0014_outgoing_webhooks'),
        ('credits', '0006_premium'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Adjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=billing.models.adjustment.new_adjustment_id, max_length=32, unique=True)),
                ('unit', models.CharField(choices=[('CREDITS', 'credits'), ('PREMIUM', 'premium credits')], default='CREDITS', max_length=10)),
                ('kind', models.CharField(choices=[('ADD', 'Add credits'), ('REMOVE', 'Remove credits'), ('MOVE_EXPIRY', 'Let credits expire later'), ('WRITE_OFF_DEBT', 'Write off what is owed'), ('RESTORE_LEGACY', 'Give a legacy plan back'), ('REVERSAL', 'Reverse an adjustment')], max_length=14)),
                ('credits', models.BigIntegerField(help_text='How many, whichever way they move.')),
                ('expires_at', models.DateTimeField(blank=True, help_text='Of what is added or expires later.', null=True)),
                ('reason_code', models.CharField(choices=[('GOODWILL', 'Goodwill'), ('INCIDENT', 'Incident'), ('CORRECTION', 'Correction of an error'), ('PROMOTION', 'Promotion'), ('MIGRATION', 'Migration'), ('LEGAL', 'Legal'), ('OTHER', 'Other')], max_length=10)),
                ('comment', models.CharField(help_text='Why; for staff alone.', max_length=500)),
                ('ticket', models.CharField(blank=True, max_length=120)),
                ('customer_note', models.CharField(blank=True, help_text="What the customer's statement says.", max_length=300)),
                ('notifies', models.BooleanField(default=False, help_text='Whether the customer is told by e-mail.')),
                ('regards_month', models.DateField(blank=True, help_text='The closed month that it regards (R93).', null=True)),
                ('form_key', models.CharField(help_text='One form sent twice is one adjustment.', max_length=120, unique=True)),
                ('content_hash', models.CharField(help_text='SHA-256 of what was proposed.', max_length=64)),
                ('previewed', models.JSONField(help_text='The figures before and after, as proposed.')),
                ('limit_credits', models.BigIntegerField(help_text='What its maker could adjust alone at that moment.')),
                ('approvals_needed', models.SmallIntegerField(default=0, help_text='By how many others: 0, 1 or 2 (R35, R91).')),
                ('state', models.CharField(choices=[('PROPOSED', 'Proposed'), ('APPROVED', 'Approved'), ('MADE', 'Made'), ('REJECTED', 'Rejected'), ('WITHDRAWN', 'Withdrawn')], default='PROPOSED', max_length=9)),
                ('proposed_at', models.DateTimeField()),
                ('first_approved_at', models.DateTimeField(blank=True, null=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=300)),
                ('made_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='accounts.account')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.ledgerentry')),
                ('first_approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('grant', models.ForeignKey(blank=True, help_text='Which credits; empty: in the order in which jobs use them.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='credits.creditgrant')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reverses', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='billing.adjustment')),
                ('subscription', models.ForeignKey(blank=True, help_text='The legacy plan that is given back.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.subscription')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'PROPOSED')), fields=['proposed_at'], name='adjustment_waiting'), models.Index(fields=['account', '-proposed_at'], name='adjustment_by_account'), models.Index(fields=['proposed_by', 'proposed_at'], name='adjustment_by_maker')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('credits__gt', 0), ('expires_at__isnull', False), ('grant__isnull', True), ('kind', 'ADD'), ('reverses__isnull', True), ('subscription__isnull', True)), models.Q(('credits__gt', 0), ('expires_at__isnull', True), ('grant__isnull', True), ('kind', 'REMOVE'), ('reverses__isnull', True), ('subscription__isnull', True)), models.Q(('credits__gt', 0), ('expires_at__isnull', True), ('grant__isnull', False), ('kind', 'REMOVE'), ('reverses__isnull', True), ('subscription__isnull', True)), models.Q(('credits__gt', 0), ('expires_at__isnull', False), ('grant__isnull', False), ('kind', 'MOVE_EXPIRY'), ('reverses__isnull', True), ('subscription__isnull', True)), models.Q(('credits__gt', 0), ('expires_at__isnull', True), ('grant__isnull', True), ('kind', 'WRITE_OFF_DEBT'), ('reverses__isnull', True), ('subscription__isnull', True)), models.Q(('credits__gt', 0), ('expires_at__isnull', True), ('grant__isnull', True), ('kind', 'REVERSAL'), ('reverses__isnull', False), ('subscription__isnull', True)), models.Q(('expires_at__isnull', True), ('grant__isnull', True), ('kind', 'RESTORE_LEGACY'), ('reverses__isnull', True), ('subscription__isnull', False), ('credits', 0)), _connector='OR'), name='adjustment_names_what_it_needs'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.GreaterThanOrEqual(django.db.models.functions.text.Length(django.db.models.functions.text.Trim('comment')), 10), models.Q(('reason_code__in', ['GOODWILL', 'INCIDENT', 'CORRECTION', 'PROMOTION', 'MIGRATION', 'LEGAL', 'OTHER']), ('unit__in', ['CREDITS', 'PREMIUM']))), name='adjustment_says_why'), models.CheckConstraint(condition=models.Q(('content_hash__regex', '^[0-9a-f]{64}$'), models.Q(('regards_month', None), ('regards_month__day', 1), _connector='OR')), name='adjustment_content_whole'), models.CheckConstraint(condition=models.Q(models.Q(('approvals_needed', 0), ('credits__lte', models.F('limit_credits')), models.Q(('kind', 'WRITE_OFF_DEBT'), _negated=True), models.Q(('kind', 'RESTORE_LEGACY'), _negated=True)), models.Q(('approvals_needed', 1), models.Q(('kind', 'RESTORE_LEGACY'), _negated=True)), ('approvals_needed', 2), _connector='OR'), name='adjustment_above_the_limit_needs_others'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), models.Q(('first_approved_by', None), models.Q(('first_approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), models.Q(('first_approved_by', None), ('decided_by', None), models.Q(('decided_by', models.F('first_approved_by')), _negated=True), ('state', 'REJECTED'), _connector='OR')), name='adjustment_is_not_approved_by_its_maker'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'PROPOSED')), models.Q(('approvals_needed', 0), ('decided_at', None), ('decided_by', None), ('state__in', ['APPROVED', 'MADE'])), models.Q(('approvals_needed', 1), ('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['APPROVED', 'MADE'])), models.Q(('approvals_needed', 2), ('decided_at__isnull', False), ('decided_by__isnull', False), ('first_approved_by__isnull', False), ('state__in', ['APPROVED', 'MADE'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'REJECTED'), models.Q(('decision_reason', ''), _negated=True)), models.Q(('decided_at__isnull', False), ('decided_by', None), ('state', 'WITHDRAWN')), _connector='OR'), name='adjustment_decided_as_needed'), models.CheckConstraint(condition=models.Q(models.Q(('made_at__isnull', False), ('state', 'MADE'), models.Q(('entry__isnull', False), ('kind', 'RESTORE_LEGACY'), _connector='OR')), models.Q(models.Q(('state', 'MADE'), _negated=True), ('entry', None), ('made_at', None)), _connector='OR'), name='adjustment_made_means_moved'), models.UniqueConstraint(models.F('reverses'), condition=models.Q(('reverses__isnull', False), models.Q(('state__in', ('REJECTED', 'WITHDRAWN')), _negated=True)), name='adjustment_reversed_once'), models.UniqueConstraint(models.F('entry'), condition=models.Q(('entry__isnull', False)), name='adjustment_one_per_entry')],
            },
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION guard_adjustment() CASCADE"),
        migrations.RunSQL(
            guards.KEEP.format(table="billing_adjustment"),
            guards.UNKEEP.format(table="billing_adjustment"),
        ),
        migrations.RunSQL(LEGACY, UNLEGACY),
    ]
