"""Telling the apps above that credits run short, once a command is through."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from credits import ledger
from credits.models import WalletUnit
from credits.signals import tell_balances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from credits.models import Wallet


@contextmanager
def told(wallet: Wallet) -> Iterator[None]:
    """Tell of a command that is refused for want of credits, and note what comes of it.

    Raises:
        InsufficientCredits: as the block does, with what is done about it (R45).
    """
    try:
        yield
    except ledger.InsufficientCredits as refusal:
        note_help(refusal, wallet)
        raise


def note_help(refusal: ledger.InsufficientCredits, wallet: Wallet) -> None:
    """Tell of a refusal, and note on it what is done about it."""
    if wallet.unit == WalletUnit.CREDITS:
        available = {wallet.account_id: refusal.available}
        refusal.reload = tell_balances(available, needed=refusal.needed)


def tell_falls(left: Mapping[Wallet, int]) -> None:
    """Tell of wallets that jobs have left with less than is watched for."""
    available = {
        wallet.account_id: credits
        for wallet, credits in left.items()
        if wallet.watched_below is not None and credits < wallet.watched_below
    }
    if available:
        tell_balances(available)
