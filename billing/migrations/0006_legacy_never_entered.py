"""Refuse legacy plans to everybody but the import, and to who has had a plan (R34)."""

from django.db import migrations

GUARD = """
CREATE FUNCTION guard_legacy_plans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM billing_planversion AS version
        JOIN billing_plan AS plan ON plan.id = version.plan_id
        WHERE version.id = NEW.plan_version_id AND plan.family = 'LEGACY'
    ) THEN
        RETURN NEW;
    END IF;
    IF coalesce(current_setting('purser.legacy_import', true), '') <> 'on'
        OR EXISTS (
            SELECT 1 FROM billing_subscription AS before
            WHERE before.account_id = NEW.account_id
        )
    THEN
        RAISE EXCEPTION 'legacy_never_entered: account % cannot begin a legacy plan',
            NEW.account_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legacy_never_entered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER legacy_never_entered_anew
    BEFORE INSERT ON billing_subscription
    FOR EACH ROW EXECUTE FUNCTION guard_legacy_plans();
CREATE TRIGGER legacy_never_entered_again
    BEFORE UPDATE OF plan_version_id, account_id ON billing_subscription
    FOR EACH ROW WHEN (
        (OLD.plan_version_id, OLD.account_id)
            IS DISTINCT FROM (NEW.plan_version_id, NEW.account_id)
    )
    EXECUTE FUNCTION guard_legacy_plans();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_free_videos")]
    operations = [
        migrations.RunSQL(GUARD, "DROP FUNCTION guard_legacy_plans() CASCADE"),
    ]
