from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0003_subscriptions'),
    ]

    operations = [
        migrations.CreateModel(
            name='PortalClock',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('offset', models.DurationField(help_text="How far it is ahead of the world's.")),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='portal_clock_one')],
            },
        ),
    ]
