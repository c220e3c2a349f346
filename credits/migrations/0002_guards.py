"""Refuse every change of the ledger, and facts that cannot be.

The figures that every spend touches have CHECK constraints, one a table. Everything
else that can never be is refused by triggers: they run where such a fact is written
and cost a spend nothing.
"""

from importlib import import_module

from django.db import migrations

guard = import_module("accounts.migrations.0002_append_only").guard

WALLET_FACTS = """
CREATE FUNCTION check_wallet_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.unit NOT IN ('CREDITS', 'PREMIUM')
        OR NEW.spending_block NOT IN ('', 'NO_PAID_PLAN', 'PAYMENT_OVERDUE')
        OR (NEW.cycle_starts_at IS NULL) <> (NEW.cycle_ends_at IS NULL)
        OR NEW.cycle_starts_at >= NEW.cycle_ends_at
        OR (NEW.plan_is_over AND NEW.plan_ends_at IS NULL)
        OR (NEW.free_videos IS NULL) <> (NEW.free_video_ms IS NULL)
        OR NEW.free_videos < 1 OR NEW.free_video_ms < 1
    THEN
        RAISE EXCEPTION 'wallet_facts: % cannot be', NEW
            USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_facts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallet_facts
    BEFORE INSERT OR UPDATE OF unit, spending_block, cycle_starts_at, cycle_ends_at,
        plan_ends_at, plan_is_over, free_videos, free_video_ms
    ON credits_wallet FOR EACH ROW EXECUTE FUNCTION check_wallet_facts();
"""

GRANT_FACTS = """
CREATE FUNCTION check_grant_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.granted <= 0 OR NEW.cost_basis_cents < 0
        OR NEW.expires_at < NEW.effective_at
        -- A plan may end in the instant in which its month began (R58).
        OR (NEW.expires_at = NEW.effective_at AND TG_OP = 'INSERT')
        OR NEW.source NOT IN (
            'PLAN', 'UPGRADE', 'PURCHASE', 'RELOAD', 'ADJUSTMENT', 'PROMO', 'RESTORE',
            'PACK')
        OR NOT NEW.frozen_for
            <@ ARRAY['NO_PLAN', 'DISPUTE', 'FRAUD_WARNING', 'PAUSE']::varchar[]
        OR (NEW.clock_stopped_at IS NOT NULL AND NEW.frozen_for = '{}')
    THEN
        RAISE EXCEPTION 'grant_facts: % cannot be', NEW
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_facts';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.wallet_id, OLD.source, OLD.source_key, OLD.granted,
        OLD.cost_basis_cents, OLD.effective_at) IS DISTINCT FROM (NEW.wallet_id,
        NEW.source, NEW.source_key, NEW.granted, NEW.cost_basis_cents, NEW.effective_at)
    THEN
        RAISE EXCEPTION 'grant_facts: what was granted never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'grant_facts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER grant_facts
    BEFORE INSERT OR UPDATE OF wallet_id, source, source_key, granted,
        cost_basis_cents, effective_at, expires_at, frozen_for, clock_stopped_at
    ON credits_creditgrant FOR EACH ROW EXECUTE FUNCTION check_grant_facts();
"""

ENTRY_FACTS = """
CREATE FUNCTION check_entry_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE
        WHEN NEW.kind IN ('GRANT', 'REINSTATE') THEN NEW.credits > 0
        WHEN NEW.kind = 'REVERSE' THEN NEW.credits >= 0
        WHEN NEW.kind IN ('EXPIRE', 'REVOKE', 'MOVE', 'REPAY') THEN NEW.credits < 0
        WHEN NEW.kind = 'CAPTURE' THEN NEW.credits <= 0
        WHEN NEW.kind IN ('HOLD', 'EXTEND_HOLD', 'RELEASE', 'FREEZE', 'UNFREEZE',
            'DEBT', 'CLEAR_DEBT') THEN NEW.credits = 0
        ELSE false
    END)
        OR (NEW.kind IN ('REVERSE', 'REINSTATE')) <> (NEW.reverses_id IS NOT NULL)
        OR (NEW.kind IN ('HOLD', 'EXTEND_HOLD', 'CAPTURE', 'RELEASE'))
            <> (NEW.hold_id IS NOT NULL)
    THEN
        RAISE EXCEPTION 'entry_facts: % of % credits cannot be', NEW.kind, NEW.credits
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_facts';
    END IF;
    RETURN NEW;
END $$;
-- A spend, by far the most frequent kind, is held to its sign by its CHECK alone.
CREATE TRIGGER entry_facts BEFORE INSERT ON credits_ledgerentry
    FOR EACH ROW WHEN (NEW.kind <> 'SPEND') EXECUTE FUNCTION check_entry_facts();
"""

KEEP = """
CREATE TRIGGER is_never_deleted BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNKEEP = """
DROP TRIGGER is_never_deleted ON {table};
DROP TRIGGER append_only_whole ON {table};
"""
ROOM = "ALTER TABLE {table} SET (fillfactor = 70)"
FULL = "ALTER TABLE {table} RESET (fillfactor)"
BALANCES = ("credits_wallet", "credits_creditgrant")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_append_only"),
        ("credits", "0001_wallet_and_ledger"),
    ]
    operations = [
        *guard("credits_ledgerentry", "credits_grantdraw", "credits_usageline"),
        *(
            migrations.RunSQL(KEEP.format(table=table), UNKEEP.format(table=table))
            for table in (*BALANCES, "credits_hold")
        ),
        migrations.RunSQL(WALLET_FACTS, "DROP FUNCTION check_wallet_facts() CASCADE"),
        migrations.RunSQL(GRANT_FACTS, "DROP FUNCTION check_grant_facts() CASCADE"),
        migrations.RunSQL(ENTRY_FACTS, "DROP FUNCTION check_entry_facts() CASCADE"),
        *(
            # Room on each page, so that updates of balances stay on it.
            migrations.RunSQL(ROOM.format(table=table), FULL.format(table=table))
            for table in BALANCES
        ),
    ]
