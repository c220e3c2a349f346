"""Jobs of members at an instant, as the tests of usage need them."""

from __future__ import annotations

from itertools import count

from credits import ledger
from tests.conftest import NOW

_numbers = count(1)


def key() -> str:
    return f"usage:{next(_numbers)}"


def line(feature="look", credits=1, quantity=None) -> ledger.UsedLine:
    return ledger.UsedLine(feature, quantity or credits, 1, credits)


def use(wallet, *lines, member="", at=NOW) -> ledger.Spent:
    """Spend on lines, for a member, at an instant."""
    return ledger.spend(
        ledger.Spend(
            wallet_id=wallet.pk,
            lines=lines,
            idempotency_key=key(),
            actor="test",
            member=member,
        ),
        at=at,
    )


def hold(wallet, credits, *, member="", at=NOW) -> ledger.Held:
    return ledger.hold(
        wallet_id=wallet.pk,
        credits=credits,
        rate_version=1,
        idempotency_key=key(),
        actor="test",
        member=member,
        at=at,
    )


def absorb(held: ledger.Held, *lines, at=NOW) -> None:
    """Charge a job no more than was held for it."""
    ledger.capture(
        hold_id=held.hold_id,
        lines=lines,
        idempotency_key=key(),
        actor="test",
        absorbs_excess=True,
        at=at,
    )


def release(held: ledger.Held, *, at=NOW) -> None:
    ledger.release(
        hold_id=held.hold_id,
        is_our_failure=True,
        idempotency_key=key(),
        actor="test",
        at=at,
    )


def give_back(spent: ledger.Spent, *, credits=None, at=NOW) -> None:
    ledger.reverse(
        entry_id=spent.entry_id,
        credits=credits,
        idempotency_key=key(),
        actor="test",
        reason="It came out wrong.",
        at=at,
    )
