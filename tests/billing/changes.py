"""Changing plans as the pages do: shown, confirmed, made at the sandbox."""

from __future__ import annotations

import re
from itertools import count

from accounts.models import Account, User
from billing import stripe_gateway
from billing.changes import arranging, changing, previewing
from billing.changes.changing import Request
from billing.changes.previewing import Preview
from billing.models import Interval, PlanChange
from billing.plans import catalogue, subscribing
from credits.models import CreditGrant, GrantSource
from tests.billing.plans import Plans
from tests.conftest import NOW

_forms = count(1)
APRIL, MAY = NOW.replace(month=4), NOW.replace(month=5)
HALF = NOW + (APRIL - NOW) / 2


def tell_prices() -> None:
    """Let Stripe know every price of the catalogue."""
    for price in catalogue.prices_to_sell():
        stripe_gateway.ensure_price(price)


def shown(
    plans: Plans, account: Account, code: str, interval: Interval = Interval.MONTH
) -> Preview:
    """The page before the change."""
    target = previewing.target(code, interval, at=plans.at)
    return previewing.preview(account.pk, target, at=plans.at)


def change(
    plans: Plans,
    account: Account,
    user: User,
    code: str,
    interval: Interval = Interval.MONTH,
) -> PlanChange:
    """See what a change does, and confirm it."""
    return confirm(plans, account, user, shown(plans, account, code, interval))


def confirm(
    plans: Plans, account: Account, user: User, previewed: Preview, form_key: str = ""
) -> PlanChange:
    """Press the button under what was shown."""
    request = Request(user=user, form_key=form_key or f"form{next(_forms)}")
    known = changing.by_form(account.pk, request.form_key)
    if known:
        arranging.carry_on(known, at=plans.at)
        return known
    token = previewing.issue(previewed)
    same = arranging.shown_again(token, account=account, at=plans.at)
    return arranging.make(same, request, account=account, at=plans.at)


def fields(page: str) -> dict[str, str]:
    """What the form on a page would send, agreed to."""
    return {
        name: re.search(rf'name="{name}"[^>]*?value="([^"]*)"', page)[1]
        for name in ("token", "form_key")
    } | {"agree": "on"}


def plan(account) -> str:
    return str(subscribing.plan_of(account.pk, at=NOW))


def charged(wire) -> list[int]:
    return [charge["amount"] for charge in wire.charges() if charge["paid"]]


def upgrade_grants(account) -> list[CreditGrant]:
    ours = CreditGrant.objects.filter(wallet__account=account)
    return list(ours.filter(source=GrantSource.UPGRADE).order_by("pk"))
