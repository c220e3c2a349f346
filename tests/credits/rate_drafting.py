"""Drafts of rates, as staff make them."""

from __future__ import annotations

from dataclasses import replace

from credits import ledger, quoting, rate_drafts
from credits.core.rating import JobLine
from credits.models import LedgerEntry, RateCard, RateDraft
from tests.conftest import NOW


def begin(by, rate_plan: str = "standard", at=NOW) -> RateDraft:
    return rate_drafts.begin(rate_plan=rate_plan, by=by, at=at)


def set_rates(draft: RateDraft, by, at=NOW, **rates: tuple[int, int]) -> RateDraft:
    """Give features other rates: `look=(2, 1)`; a code's hyphens are underscores."""
    lines = {line.feature: line for line in rate_drafts.lines_of(draft)}
    for name, (credits, per) in rates.items():
        line = replace(lines[name.replace("_", "-")], credits=credits, per=per)
        rate_drafts.set_rate(draft, line, seen=draft.digest, by=by, at=at)
        draft.refresh_from_db()
    return draft


def publish(draft: RateDraft, by, at=NOW, **changes) -> RateCard:
    """Publish a draft as it is now."""
    sent = {"seen": draft.digest, "tells_customers": False, "reason": "Costs rose"}
    return rate_drafts.publish(draft, by=by, at=at, **(sent | changes))


def use(wallet, lines, at=NOW, key=""):
    """Charge a job at the rates in force."""
    quote = quoting.quote(
        lines=[JobLine(*line) for line in lines], rate_plan="standard", at=at
    )
    key = key or f"job{LedgerEntry.objects.count()}"
    return ledger.spend(ledger.Spend(wallet.pk, quote.lines, key, "test"), at=at)
