"""When cards expire, and where looking at an object of Stripe's stands."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Additive."""

    dependencies = [
        ("billing", "0009_auto_reload"),
        ("accounts", "0003_staff"),
    ]
    operations = [
        migrations.CreateModel(
            name="CardOnFile",
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
                ("stripe_card_id", models.CharField(max_length=64, unique=True)),
                ("brand", models.CharField(max_length=40)),
                ("last4", models.CharField(max_length=4)),
                (
                    "expires_at",
                    models.DateTimeField(help_text="The first instant without it."),
                ),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True,
                        null=True,
                        help_text="When its end was told by e-mail.",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards_on_file",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=Q(told_at=None),
                        fields=["expires_at"],
                        name="card_on_file_to_tell",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="webhooksubject",
            name="due_since",
            field=models.DateTimeField(
                blank=True,
                null=True,
                help_text="When the oldest round that is due began.",
            ),
        ),
        migrations.AddField(
            model_name="webhooksubject",
            name="outcome",
            field=models.CharField(
                blank=True, max_length=40, default="", help_text="What the last look led to."
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "UPDATE billing_webhooksubject SET due_since = next_attempt_at"
            " WHERE rounds_done < rounds_due",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="webhooksubject",
            constraint=models.CheckConstraint(
                condition=Q(rounds_done=F("rounds_due"), due_since=None)
                | Q(rounds_done__lt=F("rounds_due"), due_since__isnull=False),
                name="webhook_subject_due_since",
            ),
        ),
    ]
