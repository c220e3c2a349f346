"""Guard what every spend writes by triggers, which stay prepared (ADR 31).

A CHECK is read from the catalog and prepared for each statement, and so is the WHEN of
a trigger: together they took more than a third of what a debit executes.
"""

from __future__ import annotations

from django.db import migrations, models

from credits.models.guards import RowGuard

ENTRY_FACTS = """
CREATE OR REPLACE FUNCTION check_entry_facts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_fits boolean;
BEGIN
    -- The kinds that jobs write come first: no more is prepared than they need.
    IF NEW.kind = 'SPEND' THEN
        v_fits := NEW.credits <= 0 AND NEW.hold_id IS NULL AND NEW.reverses_id IS NULL;
    ELSIF NEW.hold_id IS NOT NULL THEN
        v_fits := NEW.reverses_id IS NULL AND CASE NEW.kind
            WHEN 'CAPTURE' THEN NEW.credits <= 0
            ELSE NEW.kind IN ('HOLD', 'EXTEND_HOLD', 'RELEASE') AND NEW.credits = 0
        END;
    ELSIF NEW.reverses_id IS NOT NULL THEN
        v_fits := CASE NEW.kind
            WHEN 'REVERSE' THEN NEW.credits >= 0
            WHEN 'REINSTATE' THEN NEW.credits > 0
        END;
    ELSE
        v_fits := CASE
            WHEN NEW.kind = 'GRANT' THEN NEW.credits > 0
            WHEN NEW.kind IN ('EXPIRE', 'REVOKE', 'MOVE', 'REPAY') THEN NEW.credits < 0
            WHEN NEW.kind IN ('FREEZE', 'UNFREEZE', 'DEBT', 'CLEAR_DEBT')
                THEN NEW.credits = 0
        END;
    END IF;
    IF v_fits IS NOT TRUE OR NEW.balance_after < 0 THEN
        RAISE EXCEPTION 'entry_facts: % of % credits cannot be', NEW.kind, NEW.credits
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_facts';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER entry_facts ON credits_ledgerentry;
CREATE TRIGGER entry_facts BEFORE INSERT ON credits_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION check_entry_facts();
"""
# Spends go back to their CHECK; the function may go on to look at them too.
ENTRY_FACTS_BEFORE = """
DROP TRIGGER entry_facts ON credits_ledgerentry;
CREATE TRIGGER entry_facts BEFORE INSERT ON credits_ledgerentry
    FOR EACH ROW WHEN (NEW.kind <> 'SPEND') EXECUTE FUNCTION check_entry_facts();
"""
CHECKS = {
    "wallet": ["wallet_available_not_negative"],
    "creditgrant": ["grant_remaining_within_granted"],
    "ledgerentry": ["entry_sign_fits_kind"],
    "grantdraw": ["draw_moves_something"],
    "usageline": ["usage_line_not_negative"],
    "hold": [
        "hold_captured_within_credits",
        "hold_open_until_closed",
        "hold_ends_in_time",
    ],
}


class Migration(migrations.Migration):
    dependencies = [("credits", "0010_lighter_guards")]
    operations = [
        *(
            migrations.RemoveConstraint(model_name=model, name=name)
            for model, names in CHECKS.items()
            for name in names
        ),
        migrations.RunSQL(ENTRY_FACTS, ENTRY_FACTS_BEFORE),
        migrations.AddConstraint(
            model_name="creditgrant",
            constraint=RowGuard(
                condition=models.Q(
                    models.Q(
                        ("held__gte", 0),
                        ("held__lte", models.F("remaining")),
                        ("is_open", True),
                        ("remaining__gt", 0),
                        ("remaining__lte", models.F("granted")),
                    ),
                    models.Q(("held", 0), ("is_open", False), ("remaining", 0)),
                    _connector="OR",
                ),
                name="grant_remaining_within_granted",
            ),
        ),
        migrations.AddConstraint(
            model_name="grantdraw",
            constraint=RowGuard(
                condition=models.Q(
                    ("remaining_after__gte", 0),
                    models.Q(("credits", 0), ("frozen", 0), ("held", 0), _negated=True),
                ),
                name="draw_moves_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=RowGuard(
                condition=models.Q(
                    ("captured__gte", 0),
                    ("captured__lte", models.F("credits")),
                    ("expires_at__gt", models.F("placed_at")),
                    ("expires_at__lte", models.F("extendable_until")),
                    models.Q(
                        models.Q(("closed_at", None), ("state", "OPEN")),
                        models.Q(
                            ("closed_at__isnull", False),
                            ("state__in", ("CAPTURED", "RELEASED", "EXPIRED")),
                        ),
                        _connector="OR",
                    ),
                ),
                name="hold_within_what_was_placed",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageline",
            constraint=RowGuard(
                condition=models.Q(
                    models.Q(("credits__gte", 0), ("quantity__gte", 0)),
                    models.Q(
                        ("credits__lt", 0), ("feature", "absorbed"), ("quantity", 0)
                    ),
                    _connector="OR",
                ),
                name="usage_line_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="wallet",
            constraint=RowGuard(
                condition=models.Q(
                    ("debt__gte", 0),
                    ("frozen__gte", 0),
                    ("held__gte", 0),
                    ("seq__gte", 0),
                    ("balance__gte", models.F("held") + models.F("frozen")),
                ),
                name="wallet_available_not_negative",
            ),
        ),
    ]
