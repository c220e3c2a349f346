"""A wallet as of any instant, and each of its figures explained to single entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.models import Account
from accounts.roles import StaffPermission
from accounts.staff_access import staff_page
from config.clock import now
from credits import as_of, statements
from credits.as_of import Figure
from credits.forms import AsOfForm

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpResponse

    from accounts.http import StaffRequest
    from credits.as_of import AsOf
    from credits.models import Wallet

_LISTED = 50
_LABELS = {
    Figure.AVAILABLE: _("Available"),
    Figure.HELD: _("On hold"),
    Figure.FROZEN: _("Frozen"),
    Figure.POSTED: _("Posted"),
    Figure.DEBT: _("Owed"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A wallet's past as an address asks for it, in the time zone of its account."""

    wallet: Wallet
    zone: ZoneInfo
    form: AsOfForm
    of: AsOf

    @property
    def instants(self) -> dict[str, datetime]:
        """Return the instant and, if it was asked for, the one of the knowledge."""
        known = {"known": self.of.known_at} if self.of.known_at else {}
        return {"at": self.of.instant} | known

    @property
    def shown_form(self) -> AsOfForm:
        """Return the form as it is to be changed."""
        if self.form.errors:
            return self.form
        shown = {
            name: instant.astimezone(self.zone).strftime(AsOfForm.SHOWN)
            for name, instant in self.instants.items()
        }
        return AsOfForm(initial=shown)

    def url(self, **more: object) -> str:
        """Return the address of the same instant, with more asked of it."""
        instants = {name: at.isoformat() for name, at in self.instants.items()}
        asked = {"unit": self.wallet.unit, **instants, **more}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"


@require_safe
@staff_page(StaffPermission.SEE_MONEY)
def as_of_page(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show what an account had at an instant; explain the figure that is asked for."""
    account = get_object_or_404(Account, public_id=public_id)
    wallets = statements.wallets_of(account.pk)
    asked = _asked(request, account, wallets)
    context = _shown(asked) | _explained(asked) | _units(asked, wallets)
    return render(request, "billing/staff/as_of.html", context)


def _asked(
    request: StaffRequest, account: Account, wallets: tuple[Wallet, ...]
) -> Asked:
    unit = request.GET.get("unit", "")
    wallet = next((one for one in wallets if one.unit == unit), wallets[0])
    zone, at = ZoneInfo(account.time_zone), now()
    form = AsOfForm(request.GET)
    with timezone.override(zone):
        form.is_valid()
    instant, known_at = (form.cleaned_data.get(name) for name in ("at", "known"))
    # What is ahead has not happened: nothing that will end by then is posted yet.
    instant = min(instant or at, at)
    of = as_of.as_of(wallet.pk, instant=instant, known_at=known_at, at=at)
    return Asked(wallet, zone, form, of)


def _shown(asked: Asked) -> dict[str, object]:
    then = as_of.wallet_then(asked.of)
    return {
        "account": asked.wallet.account,
        "asked": asked,
        "form": asked.shown_form,
        "zone": asked.zone.key,
        "then": then,
        "figures": [
            (label, getattr(then.figures, figure), asked.url(figure=figure))
            for figure, label in _LABELS.items()
        ],
        "grants": [(grant, asked.url(grant=grant.id)) for grant in then.grants],
    }


def _explained(asked: Asked) -> dict[str, object]:
    sent = asked.form.cleaned_data
    what: Figure | int | None = sent.get("figure") or sent.get("grant")
    if what is None:
        return {}
    about = {"figure" if isinstance(what, Figure) else "grant": what}
    kind, before = sent.get("kind") or None, sent.get("before")
    found = as_of.explain(asked.of, what, kind=kind, before_seq=before, limit=_LISTED)
    older = {"kind": kind, "before": found.next_before_seq}
    return {
        "explained": found,
        "title": _LABELS[what] if isinstance(what, Figure) else _("Left of the grant"),
        "kind": kind,
        "kinds": [(one, asked.url(**about, kind=one.kind)) for one in found.kinds],
        "all_url": asked.url(**about),
        "older_url": asked.url(**about, **older) if found.next_before_seq else "",
    }


def _units(asked: Asked, wallets: tuple[Wallet, ...]) -> dict[str, object]:
    return {
        "units": [
            {
                "label": capfirst(wallet.get_unit_display()),
                "url": asked.url(unit=wallet.unit),
                "is_current": wallet == asked.wallet,
            }
            for wallet in wallets
            if len(wallets) > 1
        ]
    }
