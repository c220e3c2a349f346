"""Plans that Stripe renews beside ours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing.models import BreakKind, Interval, Subscription
from billing.reconciling.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from billing.reconciling.findings import Figures
    from billing.reconciling.reading import Books
    from billing.stripe_gateway import RenewingPlan

# Stripe begins a term at once and charges for it about an hour later.
_RENEWAL_TAKES = timedelta(hours=3)
# A trial without a card that ran out: nothing is paid until there is one.
_OTHER_WORDS = {"paused": "UNPAID"}


def compare(books: Books, *, at: datetime) -> Iterator[Finding]:
    """Compare each plan that Stripe renews with ours, both ways."""
    known = Subscription.objects.filter(stripe_subscription_id__isnull=False)
    ours = {
        one.stripe_subscription_id: one
        for one in known.filter(ended_at=None).select_related("plan_version__plan")
    }
    theirs = {one.id: one for one in books.plans}
    for one in books.plans:
        live = ours.get(one.id)
        if live is None and one.account:
            yield _finding(one, None, {})
        elif live and (figures := _differences(live, one, at)):
            yield _finding(one, live, figures)
    for stripe_id, live in ours.items():
        if stripe_id not in theirs:
            yield Finding(
                BreakKind.SUBSCRIPTION_DIFFERS,
                stripe_id or "",
                live.anchor_at,
                account_id=live.account_id,
                here={"plan": str(live.plan_version), "status": live.status},
                at_stripe={"status": "CANCELED"},
                repair=("subscription", stripe_id or ""),
            )


def _differences(ours: Subscription, theirs: RenewingPlan, at: datetime) -> Figures:
    """Return what ours says where Stripe says otherwise."""
    key = ours.plan_version.lookup_key(Interval(ours.interval))
    differing: dict[str, str | int | None] = {}
    if key != theirs.lookup_key:
        differing["price"] = key
    if ours.status != _status(theirs):
        differing["status"] = ours.status
    is_settled = theirs.status == "active" and (
        at - theirs.period_starts_at >= _RENEWAL_TAKES
    )
    if is_settled and ours.paid_until != theirs.period_ends_at:
        differing["paid_until"] = str(ours.paid_until and ours.paid_until.isoformat())
    return differing


def _finding(theirs: RenewingPlan, ours: Subscription | None, here: Figures) -> Finding:
    return Finding(
        BreakKind.SUBSCRIPTION_DIFFERS,
        theirs.id,
        theirs.started_at,
        account_id=ours.account_id if ours else None,
        here=here,
        at_stripe={
            "price": theirs.lookup_key,
            "status": _status(theirs),
            "paid_until": theirs.period_ends_at.isoformat(),
        },
        repair=("subscription", theirs.id),
    )


def _status(theirs: RenewingPlan) -> str:
    return _OTHER_WORDS.get(theirs.status, theirs.status.upper())
