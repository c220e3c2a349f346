"""Months that finance has closed: in their order, for good, and sealed once (R93)."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

IN_ORDER = """
CREATE FUNCTION check_month_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_last billing_closedmonth;
BEGIN
    SELECT * INTO v_last FROM billing_closedmonth ORDER BY month DESC LIMIT 1;
    IF FOUND AND (NEW.starts_at <> v_last.ends_at
        OR NEW.month <> v_last.month + interval '1 month'
        OR NEW.closed_at < v_last.closed_at)
    THEN
        RAISE EXCEPTION 'closed_months_in_order: % does not follow %', NEW.month,
            v_last.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_months_in_order';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER closed_months_in_order BEFORE INSERT ON billing_closedmonth
    FOR EACH ROW EXECUTE FUNCTION check_month_order();
"""

FOR_GOOD = """
CREATE TRIGGER stays_as_closed
    BEFORE UPDATE OF id, month, starts_at, ends_at, closed_at, closed_by_id
    ON billing_closedmonth
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER is_sealed_once BEFORE UPDATE ON billing_closedmonth
    FOR EACH ROW WHEN (OLD.sealed_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER is_never_deleted BEFORE DELETE ON billing_closedmonth
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON billing_closedmonth
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
NOT_FOR_GOOD = """
DROP TRIGGER stays_as_closed ON billing_closedmonth;
DROP TRIGGER is_sealed_once ON billing_closedmonth;
DROP TRIGGER is_never_deleted ON billing_closedmonth;
DROP TRIGGER append_only_whole ON billing_closedmonth;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_append_only"),
        ("billing", "0017_catalogue_drafts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name='ClosedMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day.', unique=True)),
                ('starts_at', models.DateTimeField(unique=True)),
                ('ends_at', models.DateTimeField(unique=True)),
                ('closed_at', models.DateTimeField()),
                ('figures', models.JSONField(blank=True, help_text='What it came to, once nothing is in flight.', null=True)),
                ('sha256', models.CharField(blank=True, help_text='Of the figures, with their keys sorted.', max_length=64)),
                ('sealed_at', models.DateTimeField(blank=True, null=True)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['month'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at')), ('closed_at__gte', models.F('ends_at'))), name='closed_month_is_over'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='closed_month_by_first_day'), models.CheckConstraint(condition=models.Q(models.Q(('figures__isnull', True), ('sealed_at', None), ('sha256', '')), models.Q(('figures__isnull', False), ('sealed_at__gt', models.F('closed_at')), ('sha256__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='closed_month_sealed_whole')],
            },
        ),
        migrations.RunSQL(IN_ORDER, "DROP FUNCTION check_month_order() CASCADE"),
        migrations.RunSQL(FOR_GOOD, NOT_FOR_GOOD),
    ]
