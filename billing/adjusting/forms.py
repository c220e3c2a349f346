"""What staff send about adjustments: what is to be done, why, and what they decide."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.templatetags.units import calendar_day, plural_credits
from billing.adjusting import restoring
from billing.adjusting.drafts import Draft, Why
from billing.core.periods import add_months
from billing.finance import months
from billing.finance.months import Month
from billing.models import (
    SHORTEST_COMMENT,
    AdjustmentKind,
    AdjustmentState,
    ClosedMonth,
    ReasonCode,
)
from credits import statements
from credits.core.amounts import MAX_CREDITS
from credits.models import CreditGrant, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import Promise

    from accounts.models import Account

ALL = "ALL"
_LIFE_MONTHS = 12
_MONTHS_LISTED = 24
_NEEDS = {
    AdjustmentKind.ADD: ("unit", "credits", "expires_on"),
    AdjustmentKind.REMOVE: ("unit", "credits", "grant"),
    AdjustmentKind.MOVE_EXPIRY: ("grant", "expires_on"),
    AdjustmentKind.WRITE_OFF_DEBT: ("credits",),
    AdjustmentKind.RESTORE_LEGACY: (),
}


class DraftForm(forms.Form):
    """What is to be done to an account's credits: what one kind needs, and no more."""

    kind = forms.ChoiceField(widget=forms.HiddenInput)
    unit = forms.ChoiceField(label=_("Of which credits"), choices=WalletUnit)
    credits = forms.IntegerField(
        label=_("Credits"),
        min_value=1,
        max_value=MAX_CREDITS,
        widget=forms.TextInput({"inputmode": "numeric"}),
    )
    grant = forms.ChoiceField(label=_("Which ones"))
    expires_on = forms.DateField(
        label=_("Last day"),
        help_text=_("In the time zone of the account."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    customer_note = forms.CharField(
        label=_("Note for the customer"),
        help_text=_("Stands in their statement, word by word."),
        max_length=300,
        required=False,
    )

    def __init__(
        self, account: Account, asked: Mapping[str, str], *, at: datetime
    ) -> None:
        """Offer what the account has for the kind that is asked for, or to add."""
        self.account, self.at = account, at
        self.wallets = statements.wallets_of(account.pk)
        self.restorable = restoring.restorable(account.pk)
        self.possible = self._possible()
        is_known = asked.get("kind") in self.possible
        self.wanted = AdjustmentKind(asked["kind"]) if is_known else AdjustmentKind.ADD
        # Until something is filled in it only says which kind is wanted.
        data = asked if is_known and len(asked) > 1 else None
        super().__init__(data, initial=self._initial())
        self._keep_what_is_needed()

    @property
    def draft(self) -> Draft:
        """Return what is asked for."""
        sent, grant = self.cleaned_data, self._grant()
        restores = self.wanted == AdjustmentKind.RESTORE_LEGACY
        all_of_it = grant.remaining - grant.held if grant else 0
        unit = grant.wallet.unit if grant else sent.get("unit", WalletUnit.CREDITS)
        expires_on = sent.get("expires_on")
        return Draft(
            account=self.account,
            kind=self.wanted,
            credits=sent.get("credits", all_of_it),
            unit=WalletUnit(unit),
            grant_id=grant.pk if grant else None,
            expires_at=self._end_of(expires_on) if expires_on else None,
            subscription_id=self.restorable.pk
            if self.restorable and restores
            else None,
            customer_note=sent["customer_note"],
        )

    def _possible(self) -> dict[AdjustmentKind, Promise]:
        possible = [AdjustmentKind.ADD, AdjustmentKind.REMOVE]
        possible.append(AdjustmentKind.MOVE_EXPIRY)
        if any(wallet.debt for wallet in self.wallets):
            possible.append(AdjustmentKind.WRITE_OFF_DEBT)
        if self.restorable:
            possible.append(AdjustmentKind.RESTORE_LEGACY)
        return {kind: kind.label for kind in possible}

    def _initial(self) -> dict[str, object]:
        return {
            "kind": self.wanted,
            "expires_on": add_months(self.at, _LIFE_MONTHS).date(),
        }

    def _keep_what_is_needed(self) -> None:
        choices = {
            "kind": list(self.possible.items()),
            "grant": self._grants(),
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        self.fields["grant"].required = self.wanted == AdjustmentKind.MOVE_EXPIRY
        needed = {"kind", "customer_note", *_NEEDS[self.wanted]}
        if not any(wallet.unit == WalletUnit.PREMIUM for wallet in self.wallets):
            needed.discard("unit")
        for name in self.fields.keys() - needed:
            del self.fields[name]

    def _grants(self) -> list[tuple[str, str]]:
        listed = []
        if self.wanted == AdjustmentKind.REMOVE:
            listed.append(("", str(_("In the order in which jobs use them"))))
        for wallet in self.wallets:
            balance = statements.balance_of(wallet.pk, at=self.at)
            listed += [
                (str(grant.id), _grant_text(grant, wallet, self.account.time_zone))
                for grant in balance.grants
                if grant.usable
            ]
        return listed

    def _grant(self) -> CreditGrant | None:
        grant_id = self.cleaned_data.get("grant")
        if not grant_id:
            return None
        return CreditGrant.objects.select_related("wallet").get(pk=grant_id)

    def _end_of(self, day: date) -> datetime:
        zone = ZoneInfo(self.account.time_zone)
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


class WhyForm(forms.Form):
    """Why, for staff: the customer sees none of it."""

    reason_code = forms.ChoiceField(label=_("Reason"), choices=ReasonCode)
    comment = forms.CharField(
        label=_("Comment"),
        help_text=_("For staff and the audit trail, at least 10 characters."),
        min_length=SHORTEST_COMMENT,
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )
    ticket = forms.CharField(label=_("Ticket"), max_length=120, required=False)
    regards = forms.ChoiceField(
        label=_("Regards a closed month"),
        help_text=_("It is posted now, and names that month."),
        required=False,
    )
    notifies = forms.BooleanField(
        label=_("Tell the customer by e-mail"), required=False
    )

    def __init__(self, *args: object) -> None:
        """Offer the months that are closed."""
        super().__init__(*args)  # type: ignore[arg-type] # data or nothing
        latest = ClosedMonth.objects.order_by("-month")[:_MONTHS_LISTED]
        closed = [Month(row.month) for row in latest]
        listed = [("", str(_("None"))), *((one.code, str(one)) for one in closed)]
        self.fields["regards"].choices = listed  # type: ignore[attr-defined]
        if not closed:
            del self.fields["regards"]

    @property
    def why(self) -> Why:
        """Return what was said."""
        sent = self.cleaned_data
        code = sent.get("regards")
        return Why(
            reason_code=ReasonCode(sent["reason_code"]),
            comment=sent["comment"],
            ticket=sent["ticket"],
            notifies=sent["notifies"],
            regards=months.parse(code) if code else None,
        )


class RejectForm(forms.Form):
    """Why an adjustment is refused."""

    reason = forms.CharField(
        label=_("Why not"),
        max_length=300,
        error_messages={"required": _("Say why.")},
    )


class DeskFilter(forms.Form):
    """Which adjustments to list. What makes no sense filters nothing."""

    state = forms.ChoiceField(
        label=_("State"), choices=[(ALL, _("All")), *AdjustmentState.choices]
    )
    kind = forms.ChoiceField(
        label=_("What"), choices=[(ALL, _("All")), *AdjustmentKind.choices]
    )

    @property
    def wanted(self) -> dict[str, str]:
        """Return what a listed adjustment has to be, by its fields."""
        self.is_valid()
        sent = getattr(self, "cleaned_data", {})
        return {name: value for name, value in sent.items() if value != ALL}


def _grant_text(grant: statements.GrantView, wallet: Wallet, time_zone: str) -> str:
    what = f"{grant.label}: {plural_credits(grant.usable)}"
    if wallet.unit == WalletUnit.PREMIUM:
        what = f"{what} ({WalletUnit.PREMIUM.label})"
    if grant.expires_at is None:
        return what
    ends = calendar_day(grant.expires_at, time_zone)
    return str(_("%(what)s, until %(day)s") % {"what": what, "day": ends})
