"""Turning auto-reload on and off: what was agreed to, by whom, in which words.

Each change is audited, told to the owners, and made only to the version that its form
showed (R56).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import auditing
from accounts.models import Account, User
from billing import reload_states, stripe_gateway
from billing.models import (
    AutoReload,
    Consent,
    ConsentKind,
    ReloadState,
)
from billing.reloads import charging, notices

if TYPE_CHECKING:
    from datetime import datetime

    from billing.core.reload_policy import Limits
    from billing.models import Reload
    from billing.stripe_gateway import SavedCard

_NOT_AT_STRIPE = (
    ReloadState.CREATED,
    ReloadState.WAITING,
    ReloadState.NEEDS_ACTION,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for: limits, a card, and the words that were agreed to.

    `version` is that of the settings that the form showed; 0 without any.
    """

    limits: Limits
    card: SavedCard
    version: int
    text: str
    text_version: str
    address: str | None


class SettingsMoved(stripe_gateway.BillingError):
    """Somebody else has changed the settings since they were shown (R56)."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(
            _("Somebody else has changed auto-reload meanwhile. Check what it is now.")
        )


@transaction.atomic
def save(wanted: Wanted, *, account: Account, by: User, at: datetime) -> AutoReload:
    """Turn auto-reload on as agreed; another card lifts a suspension (R51).

    A double click is one change. What the new settings make due is
    `reloading.consider`'s business (R46).

    Raises:
        SettingsMoved: they are not those any more that the form showed.
    """
    auto = _locked(account, at)
    before = _facts(auto) if auto.pk else {}
    if wanted.version != (auto.version if auto.pk else 0):
        if _was_just_saved(auto, wanted, by):
            return auto
        raise SettingsMoved
    is_new_card = auto.card_fingerprint != wanted.card.fingerprint
    auto.version = wanted.version + 1
    _apply(auto, wanted)
    auto.consent = _consent(wanted, account, by, auto.version, at)
    auto.is_on, auto.changed_at = True, at
    auto.save()
    if is_new_card:
        _drop_in_flight(account, because="NEW_CARD", at=at)
        auto = reload_states.locked(account.pk) or auto
    if auto.suspended_at and wanted.card.fingerprint != auto.failed_fingerprint:
        reload_states.resume(auto, reason="Another card was chosen.", at=at)
    _tell(auto, before, by=by, at=at)
    return auto


@transaction.atomic
def turn_off(
    account: Account, *, by: User | str, at: datetime, reason: str = ""
) -> bool:
    """Stop auto-reload at once; return whether it was on.

    A charge that Stripe is working on cannot be stopped; any other is given up.
    """
    _drop_in_flight(account, because="OFF", at=at)
    auto = reload_states.locked(account.pk)
    if auto is None or not auto.is_on:
        return False
    before = _facts(auto)
    auto.is_on, auto.version, auto.changed_at = False, auto.version + 1, at
    auto.save(update_fields=["is_on", "version", "changed_at"])
    _tell(auto, before, by=by, at=at, reason=reason)
    return True


def _locked(account: Account, at: datetime) -> AutoReload:
    # Before there is a row to lock, the account's own stands for it.
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    known = reload_states.locked(account.pk)
    return known or AutoReload(account=account, changed_at=at)


def _was_just_saved(auto: AutoReload, wanted: Wanted, by: User) -> bool:
    is_next = auto.is_on and auto.version == wanted.version + 1
    is_same = (auto.limits, auto.stripe_payment_method_id) == (
        wanted.limits,
        wanted.card.id,
    )
    return is_next and is_same and auto.consent.user_id == by.pk


def _apply(auto: AutoReload, wanted: Wanted) -> None:
    for name, value in asdict(wanted.limits).items():
        setattr(auto, name, value)
    card = wanted.card
    auto.stripe_payment_method_id = card.id
    auto.card_fingerprint = card.fingerprint
    auto.card_brand, auto.card_last4 = card.brand, card.last4
    auto.card_exp_month, auto.card_exp_year = card.exp_month, card.exp_year


def _consent(
    wanted: Wanted, account: Account, by: User, version: int, at: datetime
) -> Consent:
    return Consent.objects.create(
        account=account,
        user=by,
        kind=ConsentKind.AUTO_RELOAD,
        version=wanted.text_version,
        text=wanted.text,
        target=f"auto-reload settings {version}",
        address=wanted.address,
        given_at=at,
    )


def _drop_in_flight(account: Account, *, because: str, at: datetime) -> None:
    pending = reload_states.in_flight(account.pk)
    if pending is None:
        return
    reload: Reload
    reload, _auto = reload_states.locked_reload(pending.pk)
    if reload.state in _NOT_AT_STRIPE:
        charging.cancel(reload, because=because, at=at)


def _facts(auto: AutoReload) -> dict[str, object]:
    return {
        "is_on": auto.is_on,
        **asdict(auto.limits),
        "card": f"{auto.card_brand} {auto.card_last4}",
    }


def _tell(
    auto: AutoReload,
    before: dict[str, object],
    *,
    by: User | str,
    at: datetime,
    reason: str = "",
) -> None:
    auditing.record(
        action="auto_reload.changed",
        actor=by,
        account=auto.account,
        target=f"version {auto.version}",
        before=before,
        after=_facts(auto),
        reason=reason,
        at=at,
    )
    notices.tell_change(auto, by=by, at=at)
