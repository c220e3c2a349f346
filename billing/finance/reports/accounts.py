"""The accounts of the journal, and which ones a movement of credits or cash touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from billing.finance.reports.movements import Movement

if TYPE_CHECKING:
    from collections.abc import Mapping


class BookAccount(TextChoices):
    """What the journal knows; `number` says what the operator's books call it."""

    STRIPE_CLEARING = "stripe_clearing", _("Balance at Stripe")
    BANK = "bank", _("Bank")
    RECEIVABLE = "receivable", _("Between Stripe and settlement")
    CUSTOMER_CREDIT = "customer_credit", _("Customers' credit at Stripe")
    TAX_PAYABLE = "tax_payable", _("Tax payable")
    PREPAID = "prepaid", _("Paid months that have not begun")
    DEFERRED_REVENUE = "deferred_revenue", _("Deferred revenue of granted credits")
    REVENUE = "revenue", _("Revenue")
    BREAKAGE = "breakage", _("Breakage")
    REFUNDS = "refunds", _("Refunds beyond unspent credits")
    DISPUTE_LOSSES = "dispute_losses", _("Lost disputes")
    DEBT_RECOVERED = "debt_recovered", _("Owed credits paid back")
    PRORATION = "proration", _("Proration in no credits' cost")
    GOODWILL = "goodwill", _("Adjustments of paid credits")
    BROUGHT_IN = "brought_in", _("Paid elsewhere")
    FEES = "fees", _("Stripe's fees")
    OTHER = "other", _("Other")  # must be nothing

    @property
    def number(self) -> str:
        """Return the account's number in the operator's books, or its own name."""
        numbers: Mapping[str, str] = settings.JOURNAL_ACCOUNTS
        return numbers.get(self.value, self.value)


# What is on no balance sheet: the revenue report is these accounts.
OF_THE_RESULT = (
    BookAccount.REVENUE,
    BookAccount.BREAKAGE,
    BookAccount.REFUNDS,
    BookAccount.DISPUTE_LOSSES,
    BookAccount.DEBT_RECOVERED,
    BookAccount.PRORATION,
    BookAccount.GOODWILL,
    BookAccount.FEES,
)

# Each movement of credits is one of deferred revenue, and of this account against it.
AGAINST_CREDITS: dict[Movement, BookAccount] = {
    Movement.SOLD: BookAccount.PREPAID,
    Movement.GRANTED: BookAccount.PREPAID,
    Movement.GIVEN: BookAccount.PREPAID,
    Movement.RESTORED: BookAccount.REVENUE,
    Movement.REINSTATED: BookAccount.REFUNDS,
    Movement.USED: BookAccount.REVENUE,
    Movement.REPAID: BookAccount.DEBT_RECOVERED,
    Movement.EXPIRED: BookAccount.BREAKAGE,
    Movement.FORFEITED: BookAccount.BREAKAGE,
    Movement.REFUNDED: BookAccount.REFUNDS,
    Movement.RETURNED: BookAccount.PRORATION,
    Movement.DISPUTED: BookAccount.DISPUTE_LOSSES,
    Movement.ADJUSTED: BookAccount.GOODWILL,
    Movement.MOVED: BookAccount.DEFERRED_REVENUE,
    Movement.OTHER: BookAccount.OTHER,
}

_AGAINST_CASH: dict[str, BookAccount] = {
    "payout": BookAccount.BANK,
    "payout_reversal": BookAccount.BANK,
    "topup": BookAccount.BANK,
    "fee": BookAccount.FEES,
}


def against_cash(category: str) -> BookAccount:
    """Return the account against a category of Stripe's balance.

    What customers pay and get back is explained by bookings; what nobody explains
    stays between the two, where it is seen.
    """
    return _AGAINST_CASH.get(category, BookAccount.RECEIVABLE)
