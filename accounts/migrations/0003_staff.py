"""The groups of the operator's own people; accounts/roles.py says what each may do."""

from __future__ import annotations

from django.db import migrations

GROUPS = ("STAFF_SUPPORT", "STAFF_ADMIN", "STAFF_FINANCE")


def make_groups(apps, schema_editor):
    """Make the groups that are missing."""
    groups = apps.get_model("auth", "Group").objects.using(
        schema_editor.connection.alias
    )
    for name in GROUPS:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):
    """Data only. Going back leaves the groups, which people may be in."""

    dependencies = [
        ("accounts", "0002_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
