"""Let wallets and holds name the grant that a plain job draws from (ADR 33)."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0011_prepared_guards")]
    operations = [
        migrations.AddField(
            model_name="hold",
            name="grant_id",
            field=models.BigIntegerField(
                blank=True,
                help_text="What it pins, as far as that is one grant.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="wallet",
            name="next_grant_id",
            field=models.BigIntegerField(
                blank=True, help_text="Whose turn it is (R2). Empty: look.", null=True
            ),
        ),
    ]
