"""Let the days of busy wallets be added up by week."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credits", "0012_next_grant")]
    operations = [
        # The days that there are have a number other than 0: their weeks follow when
        # they are added up the next time.
        migrations.AddField(
            model_name="usagemark",
            name="weeks_seq",
            field=models.BigIntegerField(
                db_default=0,
                help_text="Weeks serve no reader while it differs from `seq`.",
            ),
        ),
        migrations.CreateModel(
            name="UsageWeek",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "mark_id",
                        "week",
                        "feature",
                        "member",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("week", models.DateField(help_text="Its Monday.")),
                ("feature", models.CharField(max_length=40)),
                ("member", models.CharField(blank=True, max_length=254)),
                ("quantity", models.BigIntegerField()),
                ("credits", models.BigIntegerField()),
                ("rate_version", models.IntegerField(help_text="The newest of them.")),
                (
                    "mark",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="weeks",
                        to="credits.usagemark",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(quantity__gte=0, week__iso_week_day=1),
                        name="usage_week_begins_on_monday",
                    )
                ],
            },
        ),
    ]
