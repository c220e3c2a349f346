"""Which of an account's wallets a page is about: most have one, that of credits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.text import capfirst

from credits import statements
from credits.models import WalletUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts.http import AccountRequest
    from credits.models import Wallet


@dataclass(frozen=True, slots=True)
class UnitTab:
    """A link to the same page about another wallet."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ChosenWallet:
    """The wallet that a page is about, and tabs if there is another one."""

    wallet: Wallet
    tabs: tuple[UnitTab, ...] = ()

    @property
    def unit(self) -> str:
        """Return the unit for addresses; empty where there is only one."""
        return self.wallet.unit if self.tabs else ""


def chosen_wallet(request: AccountRequest, *, kept: Iterable[str] = ()) -> ChosenWallet:
    """Return the wallet that the address names, or else the usual one.

    Tabs keep what the address says of `kept`.
    """
    usual, *others = statements.wallets_of(request.account.pk)
    if not others:
        return ChosenWallet(usual)
    asked = request.GET.get("unit", "")
    wallet = next((one for one in others if one.unit == asked), usual)
    same = {name: value for name in kept if (value := request.GET.get(name))}
    return ChosenWallet(wallet, tuple(_tab(unit, wallet, same) for unit in WalletUnit))


def _tab(unit: WalletUnit, shown: Wallet, same: Mapping[str, str]) -> UnitTab:
    address = f"?{urlencode({'unit': unit.value, **same})}"
    return UnitTab(str(capfirst(unit.label)), address, unit == shown.unit)
