"""Let no change lead to a legacy plan, and no legacy plan that ended live again (R34)."""

from django.db import migrations

GUARD = """
CREATE FUNCTION guard_legacy_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM billing_planversion AS version
        JOIN billing_plan AS plan ON plan.id = version.plan_id
        WHERE version.id = NEW.to_version_id AND plan.family = 'LEGACY'
    ) THEN
        RAISE EXCEPTION 'legacy_never_entered: account % cannot change to a legacy plan',
            NEW.account_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legacy_never_entered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER legacy_never_entered_by_change
    BEFORE INSERT OR UPDATE OF to_version_id ON billing_planchange
    FOR EACH ROW EXECUTE FUNCTION guard_legacy_changes();

CREATE TRIGGER legacy_never_entered_after_its_end
    BEFORE UPDATE OF ended_at ON billing_subscription
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL)
    EXECUTE FUNCTION guard_legacy_plans();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_plan_rules")]
    operations = [
        migrations.RunSQL(
            GUARD,
            """
            DROP TRIGGER legacy_never_entered_after_its_end ON billing_subscription;
            DROP FUNCTION guard_legacy_changes() CASCADE;
            """,
        ),
    ]
