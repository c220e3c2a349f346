from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('credits', '0007_rate_drafts'),
    ]

    operations = [
        migrations.AddField(
            model_name='wallet',
            name='watched_below',
            field=models.BigIntegerField(blank=True, help_text='Fewer available are worth telling billing.', null=True),
        ),
    ]
