"""Let spends and holds pay no more for guards that do not concern them.

A row trigger BEFORE an update locks the row and reads it again, also when none of the
columns that it is for is written; one AFTER it is asked first. A foreign key is checked
at the commit for each row, also where it is null (ADR 20).
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

WALLET_FACTS = """
DROP TRIGGER wallet_facts ON credits_wallet;
CREATE TRIGGER wallet_facts
    {when} INSERT OR UPDATE OF unit, spending_block, cycle_starts_at, cycle_ends_at,
        plan_ends_at, plan_is_over, free_videos, free_video_ms
    ON credits_wallet FOR EACH ROW EXECUTE FUNCTION check_wallet_facts();
"""
GRANT_FACTS = """
DROP TRIGGER grant_facts ON credits_creditgrant;
CREATE TRIGGER grant_facts
    {when} INSERT OR UPDATE OF wallet_id, source, source_key, granted,
        cost_basis_cents, effective_at, expires_at, frozen_for, clock_stopped_at
    ON credits_creditgrant FOR EACH ROW EXECUTE FUNCTION check_grant_facts();
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0009_entries_by_time")]
    operations = [
        *(
            migrations.RunSQL(facts.format(when="AFTER"), facts.format(when="BEFORE"))
            for facts in (WALLET_FACTS, GRANT_FACTS)
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="hold",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="credits.hold",
            ),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="reverses",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="credits.ledgerentry",
            ),
        ),
        migrations.AlterField(
            model_name="hold",
            name="wallet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="credits.wallet",
            ),
        ),
    ]
