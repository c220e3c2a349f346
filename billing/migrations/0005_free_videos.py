from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0004_portal_clock'),
    ]

    operations = [
        migrations.CreateModel(
            name='FreeVideoOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.IntegerField(unique=True)),
                ('starts_at', models.DateTimeField(unique=True)),
                ('default_quota', models.SmallIntegerField(help_text='Where no country is named.')),
                ('quota_by_country', models.JSONField(help_text='ISO code: how many.')),
                ('longest_ms', models.IntegerField(help_text='How long one may be.')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('default_quota__gte', 1), ('longest_ms__gte', 1)), name='free_video_offer_positive')],
            },
        ),
    ]
