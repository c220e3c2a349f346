"""How many credits somebody of the staff may adjust alone (R91)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_staff'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('per_adjustment', models.BigIntegerField(help_text='Credits in one adjustment.')),
                ('per_day', models.BigIntegerField(help_text='Credits in 24 hours.')),
                ('user', models.OneToOneField(limit_choices_to={'is_staff': True}, on_delete=django.db.models.deletion.PROTECT, related_name='staff_limit', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('per_adjustment__gte', 0), ('per_day__gte', models.F('per_adjustment'))), name='staff_limit_of_a_day_is_larger')],
            },
        ),
    ]
