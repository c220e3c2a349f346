"""Files of adjustments and incidents, as tests of both need them."""

from __future__ import annotations

from datetime import timedelta

from accounts.roles import StaffGroup
from billing import batches, bulk_adjusting, making_good
from billing.making_good import Incident
from credits import ledger
from credits.models import GrantSource, Wallet, WalletUnit
from tests.conftest import NOW
from tests.factories import make_account, make_staff, make_wallet

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WHY = "Agreed with the customers by phone"
HEAD = "account,credits,last_day,reason,comment,ticket,customer_note"


def sheet(*lines: str, head: str = HEAD) -> bytes:
    return "\r\n".join([head, *lines]).encode()


def line(account, credits, *, comment="For the outage of Monday", **cells) -> str:
    said = {
        "last_day": "2027-12-31" if credits > 0 else "",
        "reason": "GOODWILL",
        "ticket": "",
        "note": "",
    } | cells
    return ",".join(
        [
            *(account.public_id, str(credits), said["last_day"], said["reason"]),
            *(comment, said["ticket"], said["note"]),
        ]
    )


def staff():
    return make_staff(StaffGroup.ADMIN)


def proposed(content: bytes, *, by, at=NOW):
    file = bulk_adjusting.check(content, name="", by=by, at=at)
    return bulk_adjusting.propose(file.pk, comment=WHY, ticket="", by=by, at=at)


def carried_out(file, *, at=NOW):
    bulk_adjusting.carry_out(limit=1_000, at=at)
    file.refresh_from_db()
    return file


def approved(batch, *, at=NOW):
    return batches.approve(batch, by=staff(), at=at)


def spend(wallet, *lines, key, reference="", at=NOW) -> int:
    """A job that used so many credits of features; its entry."""
    job = ledger.Spend(
        wallet_id=wallet.pk,
        lines=tuple(
            ledger.UsedLine(feature, credits, 1, credits) for feature, credits in lines
        ),
        idempotency_key=key,
        actor="test",
        reference=reference,
    )
    return ledger.spend(job, at=at).entry_id


def incident(*features: str, starts_at=NOW - HOUR, ends_at=NOW + HOUR, prefix=""):
    return Incident(
        features=features or ("look",),
        starts_at=starts_at,
        ends_at=ends_at,
        unit=WalletUnit.CREDITS,
        reference_prefix=prefix,
    )


def made_good(about, *, by, at=NOW, form_key="form"):
    return making_good.propose(
        about,
        shown=making_good.find(about).shown,
        comment=WHY,
        ticket="",
        customer_note="Videos failed on Monday.",
        by=by,
        form_key=form_key,
        at=at,
    )


def given_back(make_good, *, at=NOW):
    making_good.give_back(limit=1_000, at=at)
    make_good.refresh_from_db()
    return make_good


def paid_wallet(*grants):
    """A wallet of purchases: credits, cents and lifetime."""
    wallet = make_wallet(make_account(billing_email="pay@example.com"))
    for number, (credits, cents, lifetime) in enumerate(grants):
        ledger.grant(
            wallet_id=wallet.pk,
            source=GrantSource.PURCHASE,
            source_key=f"{wallet.pk}:{number}",
            credits=credits,
            cost_basis_cents=cents,
            effective_at=NOW - HOUR,
            expires_at=NOW + lifetime,
            actor="test",
            at=NOW,
        )
    return wallet


def available(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).available


def reverse(entry_id: int, *, key: str, credits: int | None = None) -> None:
    ledger.reverse(
        entry_id=entry_id,
        credits=credits,
        idempotency_key=key,
        actor="test",
        reason="given back",
        at=NOW,
    )
