from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A year may begin in the second in which a month did; prices can be migrated."""

    dependencies = [("billing", "0006_legacy_never_entered")]
    operations = [
        migrations.CreateModel(
            name="FreeVideoNews",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "told_up_to",
                    models.BigIntegerField(
                        default=0,
                        null=True,
                        help_text="The last wallet that was told; empty: all.",
                    ),
                ),
                (
                    "offer",
                    models.OneToOneField(
                        on_delete=models.PROTECT,
                        related_name="news",
                        to="billing.freevideooffer",
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint("cycle", "cycle_one_start"),
        migrations.AddConstraint(
            "cycle",
            models.UniqueConstraint(
                "subscription", "starts_at", "expires_at", name="cycle_one_start"
            ),
        ),
        migrations.AlterField(
            "planchange",
            "kind",
            models.CharField(
                max_length=9,
                choices=[
                    ("SUBSCRIBE", "Subscribe"),
                    ("UPGRADE", "Upgrade"),
                    ("DOWNGRADE", "Downgrade"),
                    ("CANCEL", "Cancel"),
                    ("MIGRATE", "New price"),
                ],
            ),
        ),
        migrations.AddField(
            "planchange",
            "returned_cents",
            models.BigIntegerField(
                null=True,
                blank=True,
                help_text="What the month gives back (R30);"
                " empty: its time, as Stripe says.",
            ),
        ),
        migrations.AddField(
            "planchange",
            "returned_credits",
            models.BigIntegerField(
                default=0, help_text="Credits that are taken back for that."
            ),
        ),
        migrations.RemoveConstraint("planchange", "plan_change_takes_no_credits"),
        migrations.AddConstraint(
            "planchange",
            models.CheckConstraint(
                condition=models.Q(credits_now__gte=0, returned_credits__gte=0)
                & (
                    models.Q(returned_cents=None) | models.Q(returned_cents__gte=0)
                ),
                name="plan_change_amounts_not_negative",
            ),
        ),
        migrations.RemoveConstraint("planchange", "plan_change_kind_known"),
        migrations.AddConstraint(
            "planchange",
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=["SUBSCRIBE", "UPGRADE", "DOWNGRADE", "CANCEL", "MIGRATE"],
                    timing__in=["NOW", "CYCLE_END"],
                ),
                name="plan_change_kind_known",
            ),
        ),
    ]
