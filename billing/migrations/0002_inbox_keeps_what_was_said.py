"""What Stripe said is never altered or forgotten; only its handling is noted."""

from django.db import migrations

GUARD = """
CREATE TRIGGER keeps_what_was_said
    BEFORE UPDATE OF stripe_id, kind, subject_id, round, api_version, is_live,
        payload, received_at
    ON billing_webhookevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keeps_every_event BEFORE DELETE ON billing_webhookevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON billing_webhookevent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNGUARD = """
DROP TRIGGER keeps_what_was_said ON billing_webhookevent;
DROP TRIGGER keeps_every_event ON billing_webhookevent;
DROP TRIGGER append_only_whole ON billing_webhookevent;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_append_only"),
        ("billing", "0001_plans_purchases_inbox"),
    ]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
