"""What the catalogue desk has to show: drafts of rates, of a plan and of blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from billing.plans import catalogue
from billing.plans import drafts as plan_drafts
from config.clock import now
from credits import rate_drafts

if TYPE_CHECKING:
    from accounts.models import User

Arguments = dict[str, tuple[object, ...]]


def drafts_of(staff: User) -> Arguments:
    """Let somebody have drafted all kinds, and published some."""
    published = _rates("legacy", staff, "image")
    rate_drafts.publish(
        published,
        seen=published.digest,
        tells_customers=False,
        reason="Costs rose",
        by=staff,
        at=now(),
    )
    rates = _rates("standard", staff, "avatar-iv")
    rate_drafts.end_feature(rates, "speech", seen=rates.digest, by=staff, at=now())
    sold = _plan("creator", staff)
    plan_drafts.publish(sold, seen=sold.digest, reason="Costs rose", by=staff, at=now())
    blocks = plan_drafts.begin(plan=None, by=staff, at=now())
    return {
        "card": ("standard", 1),
        "rates": (rates.public_id,),
        "rate": (rates.public_id, "avatar-iv"),
        "unused rates": (_rates("legacy", staff, "look").public_id,),
        "published rates": (published.public_id,),
        "plan": (_plan("business", staff).public_id,),
        "blocks": (blocks.public_id,),
        "published plan": (sold.public_id,),
    }


def _rates(rate_plan: str, staff: User, feature: str):
    draft = rate_drafts.begin(rate_plan=rate_plan, by=staff, at=now())
    [line] = [one for one in rate_drafts.lines_of(draft) if one.feature == feature]
    dearer = replace(line, credits=line.credits * 2)
    rate_drafts.set_rate(draft, dearer, seen=draft.digest, by=staff, at=now())
    draft.refresh_from_db()
    return draft


def _plan(code: str, staff: User):
    plan = catalogue.plan_in_force(code, at=now()).plan
    draft = plan_drafts.begin(plan=plan, by=staff, at=now())
    terms = plan_drafts.terms_of(draft)
    dearer = replace(terms, month_cents=terms.month_cents + 1_000)
    plan_drafts.set_terms(
        draft, dearer, starts_at=None, seen=draft.digest, by=staff, at=now()
    )
    draft.refresh_from_db()
    return draft
