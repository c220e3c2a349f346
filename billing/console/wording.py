"""What the work queue says of its items: what each kind means, and what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.templatetags.units import plural_credits
from billing.models import WorkKind
from credits import quoting

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from billing.models import WorkItem

ADVICE: dict[WorkKind, Promise] = {
    WorkKind.UNBILLED_JOB: gettext_lazy(
        "The job ran longer than its hold lived, and there were too few credits to"
        " charge it anew. Charge it once there are credits, or let it be: the customer"
        " owes nothing for it."
    ),
    WorkKind.MISSING_RATE: gettext_lazy(
        "Jobs with this feature are refused, never free. Publish a rate card that has"
        " it, or tell whoever sends the wrong name. It closes by itself once a rate is"
        " in force."
    ),
    WorkKind.ABSORBED_COST: gettext_lazy(
        "Jobs of this feature cost more than they were quoted. Customers paid their"
        " quotes, we the rest. Find out why quotes are too low."
    ),
    WorkKind.UNKNOWN_WEBHOOK: gettext_lazy(
        "Stripe tells of something that belongs to no account here. It is kept, and"
        " looked at again by itself. Find out whose it is, or ignore it."
    ),
    WorkKind.UNDELIVERED_MAIL: gettext_lazy(
        "The mail server refuses what is sent to this address: it is no longer tried."
        " Ask the customer for another one, and correct it among their members or in"
        " their billing details. Receipts are in the portal; an invitation has to be"
        " made anew."
    ),
}


def facts_of(item: WorkItem) -> list[tuple[str, str]]:
    """Return what is known of an item, by name."""
    facts = item.facts
    match item.kind:
        case WorkKind.UNBILLED_JOB:
            used = "; ".join(_line(*line) for line in facts["lines"])
            known = [
                (_("Hold"), item.subject),
                (_("Reference"), facts["reference"]),
                (_("Used"), used),
                (_("It costs"), plural_credits(item.credits)),
                (_("Refused because"), facts["why"]),
            ]
        case WorkKind.MISSING_RATE:
            known = [
                (_("Feature"), facts["feature"] or _("all: no rate card is in force")),
                (_("Rates of"), facts["rate_plan"]),
                (_("Rate card"), str(facts["version"] or "")),
            ]
        case WorkKind.ABSORBED_COST:
            known = [
                (_("Feature"), facts["feature"]),
                (_("Day"), facts["day"]),
                (_("Not charged"), plural_credits(item.credits)),
                (_("Last job's hold"), facts["hold"]),
            ]
        case WorkKind.UNDELIVERED_MAIL:
            known = [
                (_("Address"), item.subject),
                (_("Last e-mail"), facts["subject"]),
                (_("What the server said"), facts["error"]),
            ]
        case _unknown:
            known = [
                (_("Stripe's number"), item.subject),
                (_("Kind"), facts["object_kind"]),
                (_("What failed"), facts["error"]),
            ]
    return [(name, said) for name, said in known if said]


def _line(feature: str, quantity: int, version: int, credits: int) -> str:
    rate = quoting.published_rate(feature, version)
    cost = plural_credits(credits)
    if rate is None:
        return f"{feature}: {cost}"
    amount = quoting.quantity_text(rate.unit, quantity, rate.shown_per)
    return f"{rate.label}, {amount}: {cost}"
