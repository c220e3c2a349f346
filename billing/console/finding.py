"""Finding accounts by anything that staff are told: a name, an id, a bill, a job.

An id that names one thing leads straight to its page. Everything is looked up by an
index; job references have none (docs/adr/0021), so they are looked for among the
latest movements only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Max
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from billing.console import naming
from billing.console.movements import RECENT_ENTRIES
from credits.models import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST, _NEWEST = 50, 20
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Match:
    """An account that was found, and why."""

    account: Account
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Where to go at once, or accounts to choose from."""

    url: str = ""
    matches: tuple[Match, ...] = ()
    is_cut: bool = False


def find(text: str) -> Found:
    """Return what a text names: one thing's page, or the accounts that it may mean.

    Without a text they are the newest accounts.
    """
    if not text:
        newest = Account.objects.order_by("-pk")[:_NEWEST]
        return Found(matches=tuple(Match(one, (_("newest"),)) for one in newest))
    if url := naming.page_of(text):
        return Found(url=url)
    reasons: dict[int, list[str]] = {}
    for account_id, why in _matches(text):
        known = reasons.setdefault(account_id, [])
        known += [why] if why not in known else []
    accounts = Account.objects.filter(pk__in=list(reasons)[:_MOST])
    by_name = sorted(accounts, key=lambda one: (one.name.lower(), one.pk))
    return Found(
        matches=tuple(Match(one, tuple(reasons[one.pk])) for one in by_name),
        is_cut=len(reasons) > _MOST,
    )


def _matches(text: str) -> Iterator[tuple[int, str]]:
    if "@" in text:
        yield from _by_email(text)
    yield from _by_name(text)
    yield from _by_job(text)


def _by_email(text: str) -> Iterator[tuple[int, str]]:
    email = text.lower()
    members = Membership.objects.alias(email=Lower("user__email")).filter(email=email)
    for account_id in members.values_list("account_id", flat=True)[:_MOST]:
        yield account_id, _("member %(email)s") % {"email": email}
    billed = Account.objects.alias(email=Lower("billing_email")).filter(email=email)
    for account_id in billed.values_list("pk", flat=True)[:_MOST]:
        yield account_id, _("billing address %(email)s") % {"email": email}


def _by_name(text: str) -> Iterator[tuple[int, str]]:
    words = _WORDS.findall(text)
    if not words:
        return
    # Each word may be the beginning of one: "north stu" finds Northwind Studio.
    query = SearchQuery(
        " & ".join(f"{word}:*" for word in words), config="simple", search_type="raw"
    )
    named = Account.objects.alias(words=SearchVector("name", config="simple"))
    found = named.filter(words=query).order_by("pk")
    # One more than is shown tells whether there are more.
    for account_id in found.values_list("pk", flat=True)[: _MOST + 1]:
        yield account_id, _("name")


def _by_job(text: str) -> Iterator[tuple[int, str]]:
    newest = LedgerEntry.objects.aggregate(pk=Max("pk"))["pk"] or 0
    latest = LedgerEntry.objects.filter(pk__gt=newest - RECENT_ENTRIES, reference=text)
    # Not an instance each: a batch of jobs may share one reference.
    for account_id in latest.values_list("wallet__account_id", flat=True).distinct():
        yield account_id, _("job %(reference)s") % {"reference": text}
