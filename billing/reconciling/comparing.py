"""All comparisons of our books with Stripe's: what differs and is not under way."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from billing.models import WebhookEvent
from billing.reconciling import (
    bills,
    debts,
    movements,
    purchases,
    returns,
    subscriptions,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from billing.reconciling.findings import Finding
    from billing.reconciling.reading import Books

# Until then a webhook, a return page or a sweeper may be about to bring it (R55).
SETTLES_WITHIN = timedelta(minutes=15)


def differences(books: Books, *, at: datetime) -> list[Finding]:
    """Return what differs, each thing once; what happened just now is still settling.

    Our rows are read after Stripe's, and may be newer: what an event told of lately is
    not judged either.
    """
    found = {
        (one.kind, one.subject): one
        for one in chain(
            purchases.compare(books),
            bills.compare(books, at=at),
            debts.compare(books),
            returns.compare(books),
            subscriptions.compare(books, at=at),
            movements.compare(books),
        )
        if one.happened_at <= at - SETTLES_WITHIN
    }
    heard = _heard_lately([one.subject for one in found.values()], at)
    return [one for one in found.values() if one.subject not in heard]


def _heard_lately(subjects: Collection[str], at: datetime) -> set[str]:
    lately = WebhookEvent.objects.filter(
        subject__stripe_object_id__in=subjects, received_at__gt=at - SETTLES_WITHIN
    )
    return set(lately.values_list("subject__stripe_object_id", flat=True))
