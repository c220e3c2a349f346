"""Packs of premium credits are a source of their own, and belong into their wallet."""

from django.db import migrations, models

GUARD = """
CREATE FUNCTION guard_packs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM credits_wallet WHERE id = NEW.wallet_id AND unit = 'PREMIUM'
    ) THEN
        RAISE EXCEPTION 'grant_packs_are_premium: wallet % counts credits',
            NEW.wallet_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_packs_are_premium';
    END IF;
    RETURN NEW;
END $$;
-- Other grants do not pay for it.
CREATE TRIGGER grant_packs_are_premium
    BEFORE INSERT ON credits_creditgrant
    FOR EACH ROW WHEN (NEW.source = 'PACK') EXECUTE FUNCTION guard_packs();
"""

SOURCES = [
    ("PLAN", "Plan"),
    ("UPGRADE", "Upgrade"),
    ("PURCHASE", "Purchased"),
    ("RELOAD", "Auto-reload"),
    ("ADJUSTMENT", "Adjustment"),
    ("PROMO", "Promotion"),
    ("RESTORE", "Restored"),
    ("PACK", "Pack"),
]


class Migration(migrations.Migration):
    dependencies = [("credits", "0005_free_videos")]
    operations = [
        migrations.AlterField(
            model_name="creditgrant",
            name="source",
            field=models.CharField(choices=SOURCES, max_length=12),
        ),
        migrations.RunSQL(GUARD, "DROP FUNCTION guard_packs() CASCADE"),
    ]
