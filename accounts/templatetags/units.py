"""How numbers and instants look: the only place that formats them.

Credits and cents are integers, quantities of time are milliseconds, instants are
aware. A minus is U+2212, as wide as a digit.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.formats import get_format
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext, ngettext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from django.template import Context
    from django.utils.safestring import SafeString

register = template.Library()

MINUS = "\N{MINUS SIGN}"
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


@register.filter
def credits(amount: int) -> str:
    """Return an amount of credits, grouped: 1,500."""
    return _sign(amount) + _grouped(amount)


@register.filter
def signed_credits(amount: int) -> str:
    """Return a movement of credits with its sign: +500, 0."""
    return ("+" if amount > 0 else _sign(amount)) + _grouped(amount)


@register.filter
def credit_cells(amounts: Iterable[int]) -> SafeString:
    """Return amounts as cells of a table: a year of days has thousands of them."""
    cells = "".join(f"<td>{_sign(amount)}{abs(amount):,}</td>" for amount in amounts)
    text = cells.replace(",", _separator(get_language()))
    return mark_safe(text)  # noqa: S308 - numbers need no escaping


@register.filter
def plural_credits(amount: int) -> str:
    """Return an amount with its unit: 1 credit, 1,500 credits."""
    return ngettext("%(amount)s credit", "%(amount)s credits", amount) % {
        "amount": credits(amount)
    }


@register.filter
def money(cents: int, currency: str) -> str:
    """Return cents as an amount of their currency: $15.00, or 15.00 SEK."""
    whole, fraction = divmod(abs(cents), 100)
    amount = f"{_grouped(whole)}{get_format('DECIMAL_SEPARATOR')}{fraction:02}"
    symbol = _SYMBOLS.get(currency.lower())
    if symbol:
        return f"{_sign(cents)}{symbol}{amount}"
    return f"{_sign(cents)}{amount} {currency.upper()}"


@register.filter
def duration(milliseconds: int) -> str:
    """Return a span of time in the units that it needs: 1 min 12 s."""
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    if seconds or fraction or not parts:
        decimals = f".{fraction:03}".rstrip("0") if fraction else ""
        parts.append(f"{seconds}{decimals} s")
    return " ".join(parts)


@register.filter
def age(span: timedelta) -> str:
    """Return for how long something has waited: 30 h, or from two days on 3 days."""
    hours = span // timedelta(hours=1)
    if hours < 1:
        return gettext("less than an hour")
    if hours < 48:
        return gettext("%(hours)s h") % {"hours": hours}
    return gettext("%(days)s days") % {"days": hours // 24}


@register.filter
def moment(instant: datetime, time_zone: str = "UTC") -> str:
    """Return an instant to the minute in a zone, with its offset (R16)."""
    local = instant.astimezone(_zone(time_zone))
    return f"{_date(local)}, {local.hour:02}:{local.minute:02} {_offset(local)}"


@register.filter
def calendar_day(instant: datetime, time_zone: str = "UTC") -> str:
    """Return the date that an instant has in a zone."""
    return _date(instant.astimezone(_zone(time_zone)))


def unbroken_date(one: date) -> str:
    """Return a date that stays on one line: 2 Jul 2026."""
    return _unbroken(_date(one))


def short_date(one: date) -> str:
    """Return a date without its year: 2 Jul."""
    return f"{one.day} {_month(one.month, get_language())}"


def days_in_words(first: date, last: date) -> str:
    """Return days by their ends, 29 Jun to 5 Jul 2026, or one: Thu 2 Jul 2026."""
    if first == last:
        return _unbroken(f"{WEEKDAYS_ABBR[first.weekday()]} {_date(first)}")
    begins = short_date(first) if first.year == last.year else _date(first)
    return gettext("%(first)s to %(last)s") % {
        "first": _unbroken(begins),
        "last": _unbroken(_date(last)),
    }


@register.simple_tag(takes_context=True)
def when(context: Context, instant: datetime | None) -> SafeString | str:
    """Show an instant in the viewer's zone, UTC on hover (R16); a dash for none."""
    return _time_element(context, instant, moment) if instant else _none()


@register.simple_tag(takes_context=True)
def day(context: Context, instant: datetime | None) -> SafeString | str:
    """Show the viewer's date of an instant, UTC on hover; a dash for none."""
    return _time_element(context, instant, calendar_day) if instant else _none()


def _sign(amount: int) -> str:
    return MINUS if amount < 0 else ""


# A page may have thousands of numbers and dates: Django's own formatting, which reads
# its format anew for each, would take longer than all the rest.
def _grouped(amount: int) -> str:
    return f"{abs(amount):,}".replace(",", _separator(get_language()))


@lru_cache
def _separator(language: str | None) -> str:
    return str(get_format("THOUSAND_SEPARATOR", language))


def _date(local: date) -> str:
    return f"{short_date(local)} {local.year}"


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


@lru_cache
def _month(number: int, _language: str | None) -> str:
    return str(MONTHS_3[number]).title()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _offset(local: datetime) -> str:
    offset = local.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    if not (hours or minutes):
        return "UTC"
    sign = MINUS if offset < timedelta() else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def _time_element(
    context: Context, instant: datetime, in_zone: Callable[[datetime, str], str]
) -> SafeString:
    element = (
        f'<time datetime="{instant.isoformat()}" title="{moment(instant)}">'
        f"{in_zone(instant, _zone_of_viewer(context))}</time>"
    )
    return mark_safe(element)  # noqa: S308 - instants need no escaping


def _zone_of_viewer(context: Context) -> str:
    user = context.get("user")
    return getattr(user, "time_zone", None) or context.get("time_zone") or "UTC"


def _none() -> str:
    return "\N{EN DASH}"
