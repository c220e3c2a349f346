"""Quotes that can be handed back: signed, and good for 15 minutes (R96, R108).

Nothing is stored. The token carries the job, its price and the instant of the quote,
so that a hold reserves exactly what was promised although rates have changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer

from credits.ledger import UsedLine
from credits.models import WalletUnit
from credits.quoting import Quote

VALID_FOR = timedelta(minutes=15)

_SIGNER = Signer(salt="credits.quote")


class QuoteNotFound(LookupError):
    """No quote for this account looks like that."""


@dataclass(frozen=True, slots=True)
class GivenQuote:
    """A quote and when it was given."""

    quote: Quote
    at: datetime

    @property
    def expires_at(self) -> datetime:
        """Return the first instant at which it is no longer valid (R5)."""
        return self.at + VALID_FOR


def issue(quote: Quote, *, account_id: str, unit: WalletUnit, at: datetime) -> str:
    """Return a token for what a job costs an account, named by its public id."""
    return _SIGNER.sign_object(
        {
            "account": account_id,
            "unit": unit,
            "rate_plan": quote.rate_plan,
            "rate_version": quote.rate_version,
            "lines": [
                [line.feature, line.quantity, line.credits] for line in quote.lines
            ],
            "at": at.isoformat(),
        },
        compress=True,
    )


def read(token: str, *, account_id: str, unit: WalletUnit) -> GivenQuote:
    """Return what was quoted, also when it is no longer valid.

    Raises:
        QuoteNotFound: it was not given here, or to another account or in another unit:
            all look alike.
    """
    try:
        content = _SIGNER.unsign_object(token)
    except BadSignature as forged:
        raise QuoteNotFound from forged
    if (content["account"], content["unit"]) != (account_id, unit):
        raise QuoteNotFound
    version = content["rate_version"]
    lines = tuple(
        UsedLine(feature, quantity, version, credits)
        for feature, quantity, credits in content["lines"]
    )
    return GivenQuote(
        quote=Quote(
            credits=sum(line.credits for line in lines),
            rate_plan=content["rate_plan"],
            rate_version=version,
            lines=lines,
        ),
        at=datetime.fromisoformat(content["at"]),
    )
