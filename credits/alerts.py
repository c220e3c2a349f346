"""Alert settings: of what an account is warned, who is told, and who wants no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.signing import BadSignature, Signer
from django.db import transaction

from accounts import auditing, notifying
from credits.models import Alert, AlertSettings, Unsubscription, Wallet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import User

_SIGNER = Signer(salt="credits.alerts")


class LinkNotFound(LookupError):
    """No link of an e-mail looks like that."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address that alerts go to, unless it has unsubscribed."""

    email: str
    is_subscribed: bool


def settings_of(wallet: Wallet) -> AlertSettings:
    """Return what was set for a wallet; before that the defaults, unsaved."""
    stored = AlertSettings.objects.filter(wallet=wallet).first()
    return stored or AlertSettings(wallet=wallet)


@transaction.atomic
def change(
    *,
    wallet: Wallet,
    thresholds: Sequence[int],
    expiry_days: Sequence[int],
    emails: Sequence[str],
    by: User,
    at: datetime,
) -> None:
    """Change when an account is warned, and who is told beside its own people.

    Raises:
        IntegrityError: a list has more than ten members, or one that makes no sense.
    """
    AlertSettings.objects.get_or_create(wallet=wallet)
    settings = AlertSettings.objects.select_for_update().get(wallet=wallet)
    asked = {
        "thresholds": sorted(set(thresholds), reverse=True),
        "expiry_days": sorted(set(expiry_days), reverse=True),
        "emails": list(dict.fromkeys(emails)),
    }
    before = {name: getattr(settings, name) for name in asked}
    changed = [name for name, value in asked.items() if value != before[name]]
    if not changed:
        return
    for name in changed:
        setattr(settings, name, asked[name])
    settings.save(update_fields=changed)
    auditing.record(
        action="alerts.changed",
        actor=by,
        account=wallet.account,
        target=str(wallet.account),
        before={name: before[name] for name in changed},
        after={name: asked[name] for name in changed},
        at=at,
    )


def recipients_of(settings: AlertSettings) -> tuple[Recipient, ...]:
    """Return whom alerts go to: who hears about money, then the addresses added."""
    wallet = settings.wallet
    addresses = [*notifying.billing_recipients(wallet.account), *settings.emails]
    left = {gone.email.lower() for gone in wallet.unsubscriptions.all()}
    return tuple(
        Recipient(address, lower not in left)
        for lower, address in {one.lower(): one for one in addresses}.items()
    )


def raised_lately(wallet_id: int, *, limit: int) -> tuple[Alert, ...]:
    """Return the last alerts of a wallet, newest first."""
    raised = Alert.objects.filter(wallet_id=wallet_id)
    return tuple(raised.order_by("-raised_at", "-pk")[:limit])


def unsubscribe_token(wallet_id: int, email: str) -> str:
    """Return what the link of an e-mail carries: it lets its reader unsubscribe."""
    return _SIGNER.sign_object([wallet_id, email.lower()])


def read_token(token: str) -> tuple[Wallet, str]:
    """Return of which wallet's alerts a link tells, and the address it was sent to.

    Raises:
        LinkNotFound: no e-mail has had such a link.
    """
    try:
        wallet_id, email = _SIGNER.unsign_object(token)
    except (BadSignature, ValueError) as forged:
        raise LinkNotFound from forged
    return Wallet.objects.select_related("account").get(pk=wallet_id), email


def is_unsubscribed(wallet: Wallet, email: str) -> bool:
    """Whether an address wants no alerts of a wallet."""
    return wallet.unsubscriptions.filter(email__iexact=email).exists()


@transaction.atomic
def unsubscribe(*, wallet: Wallet, email: str, at: datetime) -> None:
    """Send an address no more alerts of a wallet, also when it is added anew."""
    _, is_new = Unsubscription.objects.get_or_create(
        wallet=wallet, email=email, defaults={"since": at}
    )
    if is_new:
        _record("alerts.unsubscribed", wallet, email, at=at)


@transaction.atomic
def subscribe_again(*, wallet: Wallet, email: str, at: datetime) -> None:
    """Undo an address's own unsubscribing."""
    deleted, _ = wallet.unsubscriptions.filter(email=email).delete()
    if deleted:
        _record("alerts.subscribed_again", wallet, email, at=at)


def _record(action: str, wallet: Wallet, email: str, *, at: datetime) -> None:
    auditing.record(
        action=action, actor=email[:200], account=wallet.account, target=email, at=at
    )
