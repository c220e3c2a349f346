"""Wallets know below what their auto-reload wants to hear of them (R46)."""

from __future__ import annotations

from django.db import migrations

# A trigger, so that no way of saving the settings can forget it: until the sweeper
# comes by a minute later, a job that is not told of starts no reload.
KEEP = """
CREATE FUNCTION watch_for_auto_reload() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE credits_wallet
    SET watched_below = CASE WHEN NEW.is_on THEN NEW.threshold END
    WHERE account_id = NEW.account_id AND unit = 'CREDITS';
    RETURN NULL;
END $$;
CREATE TRIGGER is_watched_for AFTER INSERT OR UPDATE OF is_on, threshold
    ON billing_autoreload FOR EACH ROW EXECUTE FUNCTION watch_for_auto_reload();
UPDATE credits_wallet AS wallet SET watched_below = auto.threshold
FROM billing_autoreload AS auto
WHERE auto.account_id = wallet.account_id AND auto.is_on AND wallet.unit = 'CREDITS';
"""
FORGET = """
DROP TRIGGER is_watched_for ON billing_autoreload;
DROP FUNCTION watch_for_auto_reload;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0024_make_good_by_feature'),
        ('credits', '0008_watched_below'),
    ]

    operations = [migrations.RunSQL(KEEP, FORGET)]
