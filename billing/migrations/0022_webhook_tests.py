"""An endpoint of the product's backend can be tried out."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0021_work_queue'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='outgoing_kind_known',
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='kind',
            field=models.CharField(choices=[('balance.low', 'A balance is below one of its thresholds'), ('balance.depleted', 'A balance is used up'), ('credits.granted', 'Credits were added'), ('reload.failed', 'An auto-reload failed'), ('plan.changed', 'An account is on another plan'), ('webhook.test', 'A test')], max_length=40),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['balance.low', 'balance.depleted', 'credits.granted', 'reload.failed', 'plan.changed', 'webhook.test'])), name='outgoing_kind_known'),
        ),
    ]
