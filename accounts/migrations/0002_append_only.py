"""Refuse every change of the audit trail, whoever asks."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
"""

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNGUARD = """
DROP TRIGGER append_only ON {table};
DROP TRIGGER append_only_whole ON {table};
"""


def guard(*tables):
    """Return the operations that make tables append-only."""
    return [
        migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table))
        for table in tables
    ]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_accounts")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION refuse_change()"),
        *guard("accounts_auditevent"),
    ]
