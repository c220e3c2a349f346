from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_bulk_and_make_good")]
    operations = []
