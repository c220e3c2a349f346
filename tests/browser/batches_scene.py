"""Files of adjustments and incidents in every state that their pages know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from billing import batches, bulk_adjusting, making_good
from billing.making_good import Incident
from config.clock import now
from credits import ledger
from credits.models import Wallet, WalletUnit
from tests.billing.batches import WHY, line, sheet
from tests.factories import job

if TYPE_CHECKING:
    from accounts.models import Account, User
    from billing.models import BulkFile, MakeGood

Arguments = dict[str, tuple[object, ...]]


def files_of(account: Account, maker: User, other: User) -> Arguments:
    """A file with errors, one to make, and one in each of the other states."""
    broken = _checked(maker, line(account, -900_000), line(account, 5, reason="WHIM"))
    checked = _checked(maker, *(line(account, n) for n in range(1, 121)))
    waiting = _proposed(maker, line(account, 2_000, note="For the outage of Monday"))
    undone = _proposed(maker, line(account, 40), line(account, -10))
    bulk_adjusting.carry_out(limit=10, at=now())
    undo = bulk_adjusting.propose_undo(
        undone.pk, comment=WHY, ticket="SUP-12", by=maker, at=now()
    )
    ledger.spend(job(_wallet(account), 60), at=now())
    bulk_adjusting.carry_out(limit=10, at=now())
    done = _proposed(maker, line(account, 41))
    bulk_adjusting.carry_out(limit=10, at=now())
    under_way = _proposed(other, line(account, 30), line(account, 31))
    rejected = _proposed(maker, line(account, 3_000))
    batches.reject(rejected, by=other, reason="Agreed otherwise", at=now())
    return {
        "broken": (broken.public_id,),
        "checked": (checked.public_id,),
        "waiting": (waiting.public_id,),
        "undone": (undone.public_id,),
        "done": (done.public_id,),
        "undo": (undo.public_id,),
        "under way": (under_way.public_id,),
        "rejected": (rejected.public_id,),
    }


def incidents_of(account: Account, maker: User) -> Arguments:
    """Incidents: made good, undone, and one that waits for approval."""
    ledger.spend(job(_wallet(account), 12), at=now())
    undone = _made_good(maker, key="undone")
    making_good.give_back(limit=10, at=now())
    undo = making_good.propose_undo(
        undone.pk, comment=WHY, ticket="SUP-12", by=maker, at=now()
    )
    making_good.give_back(limit=10, at=now())
    ledger.spend(job(_wallet(account), 20), at=now())
    done = _made_good(maker, key="done")
    making_good.give_back(limit=10, at=now())
    ledger.spend(job(_wallet(account), 600), at=now())
    waiting = _made_good(maker, key="waiting")
    ledger.spend(job(_wallet(account), 7), at=now())
    return {
        "undone": (undone.public_id,),
        "undo": (undo.public_id,),
        "done": (done.public_id,),
        "waiting": (waiting.public_id,),
    }


def _checked(by: User, *lines: str) -> BulkFile:
    return bulk_adjusting.check(sheet(*lines), name="", by=by, at=now())


def _proposed(by: User, *lines: str) -> BulkFile:
    file = _checked(by, *lines)
    return bulk_adjusting.propose(file.pk, comment=WHY, ticket="", by=by, at=now())


def _wallet(account: Account) -> Wallet:
    return Wallet.objects.get(account=account, unit=WalletUnit.CREDITS)


def _made_good(by: User, *, key: str) -> MakeGood:
    at = now()
    incident = Incident(
        features=("look",),
        starts_at=at - timedelta(hours=1),
        ends_at=at + timedelta(hours=1),
        unit=WalletUnit.CREDITS,
    )
    return making_good.propose(
        incident,
        shown=making_good.find(incident).shown,
        comment=WHY,
        ticket="SUP-12",
        customer_note="Looks failed. We gave back what they cost.",
        by=by,
        form_key=key,
        at=at,
    )
