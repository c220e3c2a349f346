"""What people call the groups, ages and kinds that the reports know by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.finance.reports.liability import Split
from billing.finance.reports.movements import Movement
from billing.models import Plan
from credits.models import GrantSource, WalletUnit

if TYPE_CHECKING:
    from billing.finance.reports.liability import Age, RollForward

_ENDS = {
    "0-30": gettext_lazy("Up to 30 days"),
    "31-90": gettext_lazy("31 to 90 days"),
    "91-365": gettext_lazy("91 to 365 days"),
    "later": gettext_lazy("More than a year"),
    "never": gettext_lazy("Never"),
}


def of_group(forward: RollForward, by: Split) -> str:
    """Return the name of what a roll-forward is about."""
    match by:
        case Split.PLAN:
            return _in_unit(of_plan(forward.group), forward.unit)
        case Split.SOURCE:
            return _in_unit(of_source(forward.group), forward.unit)
        case _:
            return of_unit(forward.unit)


def of_plan(code: str) -> str:
    """Return the name of the plan with a code."""
    names = Plan.objects.filter(code=code).values_list("name", flat=True)
    return names.first() or code


def of_source(source: str) -> str:
    """Return where credits come from, in words."""
    return str(GrantSource(source).label)


def of_unit(unit: str) -> str:
    """Return what a wallet counts, as a heading."""
    label = str(WalletUnit(unit).label)
    return label[:1].upper() + label[1:]


def of_age(age: Age) -> str:
    """Return in how many days something ends."""
    return _in_unit(str(_ENDS.get(age.bucket, age.bucket)), age.unit)


def of_category(category: str) -> str:
    """Return one of Stripe's reporting categories as a heading."""
    return category.replace("_", " ").capitalize()


def of_kind(kind: str) -> str:
    """Return what a row behind a number is: a movement of credits, or of money."""
    is_movement = kind in Movement.values
    return str(Movement(kind).label) if is_movement else of_category(kind)


def of_share(ppm: int) -> str:
    """Return millionths as a percentage: 12.5 %, rounded down."""
    whole, tenth = divmod(ppm // 1_000, 10)
    return f"{whole}{get_format('DECIMAL_SEPARATOR')}{tenth} %"


def _in_unit(name: str, unit: str) -> str:
    if unit == WalletUnit.CREDITS:
        return name
    return _("%(name)s, %(unit)s") % {"name": name, "unit": WalletUnit(unit).label}
