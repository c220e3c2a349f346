"""What a change of plan means, said in sentences before it is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.templatetags.units import calendar_day, money, plural_credits
from billing.changes.changing import Agreement
from billing.core.periods import MONTHS_IN_YEAR, add_months
from billing.core.transitions import Family, Move, When
from billing.models import ConsentKind, Interval

if TYPE_CHECKING:
    from datetime import datetime

    from billing.changes.previewing import Preview

# Raise it with every change of the words below.
CONSENT_VERSION = "plan-1"


def next_bill_at(previewed: Preview) -> datetime:
    """Return when the changed plan is next billed for a whole term."""
    subscription, wanted = previewed.subscription, previewed.target
    if previewed.when is When.CYCLE_END:
        return previewed.takes_effect_at
    is_new = previewed.move is Move.SUBSCRIBE
    if subscription and subscription.interval == wanted.interval and not is_new:
        return subscription.paid_until or previewed.prorated_at
    months = MONTHS_IN_YEAR if wanted.interval is Interval.YEAR else 1
    return add_months(previewed.prorated_at, months)


def consequences(previewed: Preview, *, time_zone: str) -> list[str]:
    """Return what changes besides money, and what is lost (R26, R28 to R31)."""
    old, new = previewed.old, previewed.target.version
    day = calendar_day(previewed.takes_effect_at, time_zone)
    said = [_gained(previewed)]
    if previewed.when is When.CYCLE_END:
        said.append(_("Until %(day)s your plan stays as it is.") % {"day": day})
        said.append(_("You can take this back until then, free of charge."))
    if new.cycle_credits < old.cycle_credits:
        said.append(
            _("Each month brings %(fewer)s instead of %(more)s.")
            % {
                "fewer": plural_credits(new.cycle_credits),
                "more": plural_credits(old.cycle_credits),
            }
        )
    if old.sells_blocks and not new.sells_blocks:
        said.append(_("Blocks of credits can no longer be bought; yours stay usable."))
    if previewed.returned and previewed.returned.credits:
        said.append(
            _("%(credits)s that you have not used are taken back for their price.")
            % {"credits": plural_credits(previewed.returned.credits)}
        )
    said.append(_kept(previewed))
    return [sentence for sentence in said if sentence]


def agreement(previewed: Preview, *, address: str | None) -> Agreement | None:
    """Return the words that a customer agrees to; None where there is nothing to.

    They are made of what is shown, so that they are kept as they were read.
    """
    is_legacy = previewed.old.plan.family == Family.LEGACY
    if previewed.move is Move.CANCEL:
        text = _leaving(previewed) if is_legacy else ""
        kind = ConsentKind.LEAVE_LEGACY
        return Agreement(kind, text, CONSENT_VERSION, address) if text else None
    wanted = previewed.target
    sentence = _yearly() if wanted.interval is Interval.YEAR else _monthly()
    text = sentence % {
        "plan": wanted.version.plan.name,
        "price": money(previewed.renewal_cents, previewed.currency),
    }
    if is_legacy:
        text = f"{_leaving(previewed)} {text}"
        return Agreement(ConsentKind.LEAVE_LEGACY, text, CONSENT_VERSION, address)
    return Agreement(ConsentKind.PLAN, text, CONSENT_VERSION, address)


def _gained(previewed: Preview) -> str:
    credits = plural_credits(previewed.credits_now)
    monthly = plural_credits(previewed.target.version.cycle_credits)
    if previewed.credits_now:
        return _("%(credits)s are added at once, for the rest of this month.") % {
            "credits": credits
        }
    if previewed.when is When.NOW and previewed.target.version.cycle_credits:
        return _("%(credits)s are added when the payment arrives.") % {
            "credits": monthly
        }
    return ""


def _kept(previewed: Preview) -> str:
    if _ends_a_year(previewed):
        return _("Credits that piled up over the year end at the renewal.")
    if previewed.move is Move.DOWNGRADE and settings.TRIM_ON_DOWNGRADE:
        most = plural_credits(previewed.target.version.cycle_credits)
        return _("At most %(most)s of your present plan are kept then.") % {
            "most": most
        }
    return _("Credits that you have keep their own dates.")


def _ends_a_year(previewed: Preview) -> bool:
    subscription = previewed.subscription
    is_yearly = subscription is not None and subscription.interval == Interval.YEAR
    return is_yearly and previewed.when is When.CYCLE_END


def _leaving(previewed: Preview) -> str:
    return _("I leave %(plan)s for good: nobody can return to it.") % {
        "plan": previewed.old.plan.name
    }


def _monthly() -> str:
    return _(
        "%(plan)s renews every month for %(price)s, plus tax where it applies, and is "
        "charged to my payment method until I cancel. I can cancel at any time on this "
        "site; the plan then ends with the month that is paid."
    )


def _yearly() -> str:
    return _(
        "%(plan)s renews every year for %(price)s, plus tax where it applies, and is "
        "charged to my payment method until I cancel. I can cancel at any time on this "
        "site; the plan then ends with the year that is paid."
    )
