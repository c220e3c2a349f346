"""Giving back what was found, or taking that back: whoever comes next goes on.

Each step is a transaction with the count of what is done, so that a crash at any point
repeats none and leaves none out; and it locks the wallets of one account alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.urls import reverse

from accounts import notifying
from billing import batches
from billing.disputes import doubts
from billing.making_good.undoing import take_back
from billing.models import MakeGood
from credits import ledger
from credits.models import LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Account
    from billing.models import MakeGoodDebit

_AT_ONCE = 100


def give_back(*, limit: int, at: datetime) -> int:
    """Give back the next debits of what is under way; return how many those were.

    Less than `limit`: nothing is left, or somebody else is at it.
    """
    given = 0
    while given < limit:
        step = _give_back_some(min(_AT_ONCE, limit - given), at)
        if not step:
            break
        given += step
    return given


@transaction.atomic
def _give_back_some(limit: int, at: datetime) -> int:
    make_good = batches.next_under_way(MakeGood)
    if make_good is None:
        return 0
    left = make_good.debits.filter(given_credits=None)
    in_order = left.order_by("account", "entry", "feature")
    debits = [*in_order.select_related("account")[:limit]]
    account = debits[0].account
    ours = [debit for debit in debits if debit.account_id == account.pk]
    move = take_back if make_good.undoes_id else _given
    for debit in ours:
        debit.given_credits = move(make_good, debit, at=at)
        debit.save(update_fields=["given_credits"])
        make_good.given_credits += debit.given_credits
    make_good.done += len(ours)
    if not left.filter(account=account).exists():
        _tell(make_good, account, at)
    if make_good.done == make_good.size:
        batches.finish(make_good, at=at)
    make_good.save(update_fields=["done", "given_credits", "state", "finished_at"])
    return len(ours)


def _given(make_good: MakeGood, debit: MakeGoodDebit, *, at: datetime) -> int:
    """Give back what a job used of a feature, or what is still missing of it."""
    back = LedgerEntry.objects.filter(reverses_id=debit.entry_id)
    before = back.aggregate(total=Sum("credits"))["total"] or 0
    used = -LedgerEntry.objects.values_list("credits", flat=True).get(pk=debit.entry_id)
    credits = min(debit.credits, used - before)
    if credits == 0:
        return 0
    given = ledger.reverse(
        entry_id=debit.entry_id,
        credits=credits,
        idempotency_key=debit.key,
        actor="make-good",
        reason=make_good.customer_note,
        at=at,
    )
    doubts.look_at_lost(debit.account_id, at=at)
    return given.credits


def _tell(make_good: MakeGood, account: Account, at: datetime) -> None:
    """Tell of what an account got back, or of what was taken again, if anything was."""
    moved = make_good.debits.filter(account=account)
    credits = moved.aggregate(total=Sum("given_credits"))["total"]
    if not credits:
        return
    notifying.notify(
        kind="make_good_undone" if make_good.undoes_id else "made_good",
        key=f"make_good:{make_good.pk}:{account.pk}",
        recipients=notifying.billing_recipients(account),
        context={
            "make_good": make_good,
            "credits": credits,
            "page_url": settings.BASE_URL + reverse("credits:statement"),
            "time_zone": account.time_zone,
        },
        account=account,
        at=at,
    )
