"""An account with a history, and one item of each kind in the work queue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts import auditing
from accounts.models import Notice, User
from billing import work_items
from billing.console import queue
from billing.models import WorkItem, WorkKind
from config.clock import now
from config.demo import people
from credits import ledger
from credits.ledger import UsedLine
from credits.models import Freeze, Hold, Wallet, WalletUnit
from credits.settling import Unbilled
from tests.browser import refunds_scene

if TYPE_CHECKING:
    from accounts.models import Account
    from tests.sandbox_process import Sandbox

Arguments = dict[str, tuple[object, ...]]


def history_of(account: Account, sandbox: Sandbox) -> Arguments:
    """Let payments, a frozen grant, a running job and a staff action be seen."""
    at = now()
    wallet = Wallet.objects.get(account=account, unit=WalletUnit.CREDITS)
    _hold(wallet, "render-20931", 20)
    arguments = refunds_scene.refunded_payments(account, sandbox)
    newest = wallet.grants.filter(is_open=True).latest("pk")
    ledger.freeze(
        grant_id=newest.pk,
        freeze=Freeze.DISPUTE,
        idempotency_key="console",
        actor="system",
        reason="The payment for these credits is disputed.",
        at=at,
    )
    auditing.record(
        action="member.role_changed",
        actor=people.NORA.email,
        account=account,
        target="dev@northwind.example",
        before={"role": "MEMBER"},
        after={"role": "BILLING"},
        at=at,
    )
    return arguments


def work_for(account: Account, person: people.Person) -> Arguments:
    """Queue one of each kind; the job has an owner and a note, the rate is done."""
    at = now() - timedelta(hours=30)
    wallet = Wallet.objects.get(account=account, unit=WalletUnit.CREDITS)
    hold = _hold(wallet, "render-20877", 10)
    lines = (UsedLine("look", 40, 1, 40),)
    why = "This needs 40 credits and 12 are available."
    work_items.note_unbilled(hold, Unbilled(lines, 40, why), at=at)
    work_items.note_absorbed(hold=hold, feature="avatar-iv", credits=7, at=at)
    for feature in ("hologram", "smell"):
        work_items.note_missing_rate(
            rate_plan="standard", version=1, feature=feature, at=at
        )
    work_items.note_unknown_webhook(
        object_kind="subscription",
        object_id="sub_1Lost",
        error="UnknownAccount: There is no account acc_7tq2.",
        at=at,
    )
    work_items.note_undelivered(
        Notice(
            recipient="tpyo@northwind.example",
            subject="Your receipt",
            last_error="550 no such user",
        ),
        at=at,
    )
    items = {item.subject: item for item in WorkItem.objects.all()}
    staff = User.objects.get(email=person.email)
    queue.take(items[hold.public_id], by=staff, at=now())
    queue.note(items[hold.public_id], text="Asked them.", by=staff, at=now())
    subject = "standard:smell"
    work_items.close(WorkKind.MISSING_RATE, subject, outcome="A typo.", at=now())
    return {
        "unbilled": (items[hold.public_id].public_id,),
        "missing": (items["standard:hologram"].public_id,),
        "closed": (items[subject].public_id,),
        "unknown": (items["sub_1Lost"].public_id,),
        "undelivered": (items["tpyo@northwind.example"].public_id,),
    }


def _hold(wallet: Wallet, reference: str, credits: int) -> Hold:
    placed = ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=f"console:{reference}",
        actor="Render farm",
        reference=reference,
        at=now(),
    )
    return Hold.objects.select_related("wallet").get(pk=placed.hold_id)
