from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credits", "0007_rate_drafts")]
    operations = []
