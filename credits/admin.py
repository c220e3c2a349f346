"""The raw tables, to look at: what moves credits is the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from credits.models import (
    CreditGrant,
    GrantDraw,
    LedgerEntry,
    Rate,
    RateCard,
    UsageLine,
    Wallet,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

    _Admin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:
    _Admin, _Inline = admin.ModelAdmin, admin.TabularInline


class ReadOnly:
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False


class DrawsInline(ReadOnly, _Inline):
    """The grants that an entry touched."""

    model = GrantDraw


class LinesInline(ReadOnly, _Inline):
    """What a job used."""

    model = UsageLine


class RatesInline(ReadOnly, _Inline):
    """The rates of a card."""

    model = Rate
    ordering = ("position",)


@admin.register(Wallet)
class WalletAdmin(ReadOnly, _Admin):
    """Wallets by account."""

    list_display = ("account", "unit", "balance", "held", "frozen", "next_expiry_at")
    list_select_related = ("account",)
    list_filter = ("unit", "spending_block")
    search_fields = ("account__name", "account__public_id")


@admin.register(CreditGrant)
class CreditGrantAdmin(ReadOnly, _Admin):
    """Grants by wallet and source."""

    list_display = (
        "source_key",
        "wallet",
        "source",
        "granted",
        "remaining",
        "expires_at",
    )
    list_select_related = ("wallet__account",)
    list_filter = ("source", "is_open")
    search_fields = ("source_key", "wallet__account__public_id")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, _Admin):
    """Entries, newest first, with their draws and lines."""

    list_display = ("wallet", "seq", "kind", "credits", "balance_after", "occurred_at")
    list_select_related = ("wallet__account",)
    list_filter = ("kind",)
    ordering = ("-pk",)
    search_fields = ("wallet__account__public_id", "idempotency_key", "reference")
    # Counting all rows of a large ledger takes longer than reading a page of it.
    show_full_result_count = False
    exclude = ("request_hash",)
    inlines = (LinesInline, DrawsInline)


@admin.register(RateCard)
class RateCardAdmin(ReadOnly, _Admin):
    """Published rate cards with their rates."""

    list_display = ("rate_plan", "version", "starts_at")
    list_filter = ("rate_plan",)
    inlines = (RatesInline,)
