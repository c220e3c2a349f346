"""Rate cards as staff draft them: begun from a card, edited, published once (R96).

A draft follows the last published card of its rate plan. Each write says which content
its author saw: what somebody else has changed meanwhile is not overwritten.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from credits import drafting, quoting, rate_cards
from credits.drafting import DraftRefused
from credits.models import (
    ABSORBED,
    DraftState,
    RateCard,
    RateDraft,
    RateUnit,
)
from credits.quoting import FeatureRate
from credits.rate_cards import CardToPublish, RateLine
from credits.usage import GIVEN_BACK, NOT_CHARGED

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

MAX_RATE_CREDITS = 10**6
MAX_PER = 86_400_000  # a day

_FEATURE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# They stand where a feature stands, in what was used.
_RESERVED = {ABSORBED, GIVEN_BACK, NOT_CHARGED}


@dataclass(frozen=True, slots=True)
class RateChange:
    """One feature's rate before and after a draft; None: there is none."""

    feature: str
    label: str
    before: FeatureRate | None
    after: FeatureRate | None

    @property
    def is_changed(self) -> bool:
        """Whether anything differs, be it a word."""
        return self.before != self.after


def last_card(rate_plan: str) -> RateCard | None:
    """Return the published card that begins last: it may be still to come."""
    cards = RateCard.objects.filter(rate_plan=rate_plan)
    return cards.order_by("-starts_at").first()


@transaction.atomic
def begin(*, rate_plan: str, by: User, at: datetime) -> RateDraft:
    """Begin a draft with the rates of the last published card.

    Raises:
        DraftRefused: this rate plan has no card.
    """
    card = last_card(rate_plan)
    if card is None:
        raise DraftRefused(_("There is no rate card of this name."))
    rates = card.rates.order_by("position")
    draft = RateDraft.objects.create(
        based_on=card,
        lines=[asdict(rate_cards.line_of(rate)) for rate in rates],
        drafted_by=by,
        drafted_at=at,
    )
    drafting.record("drafted", draft, by=by, at=at, after={"based_on": str(card)})
    return draft


def lines_of(draft: RateDraft) -> tuple[RateLine, ...]:
    """Return the rates of a draft, in the order that people see."""
    return tuple(RateLine(**line) for line in draft.lines)


def rate_of(line: RateLine) -> FeatureRate:
    """Return a line as the rate that it would be."""
    return FeatureRate(**{**asdict(line), "unit": RateUnit(line.unit)})


def changes_of(draft: RateDraft) -> tuple[RateChange, ...]:
    """Return every feature before and after, those at the end that the draft ends."""
    card = draft.based_on
    table = quoting.rate_table(card.rate_plan, card.version)
    lines = lines_of(draft)
    kept = {line.feature for line in lines}
    return (
        *(
            RateChange(
                line.feature, line.label, table.rate_of(line.feature), rate_of(line)
            )
            for line in lines
        ),
        *(
            RateChange(rate.feature, rate.label, rate, None)
            for rate in table.rates
            if rate.feature not in kept
        ),
    )


@transaction.atomic
def set_rate(
    draft: RateDraft, line: RateLine, *, seen: str, by: User, at: datetime
) -> None:
    """Change a feature's rate, or add a feature at the end.

    Raises:
        DraftMoved: the draft is not what was seen.
        DraftRefused: such a rate cannot be.
    """
    locked = drafting.locked(draft, seen)
    _require_possible(line, locked.based_on)
    lines = {one.feature: one for one in lines_of(locked)}
    before = lines.get(line.feature)
    lines[line.feature] = line
    locked.lines = [asdict(one) for one in lines.values()]
    locked.save(update_fields=["lines"])
    drafting.record(
        "rate_set",
        locked,
        by=by,
        at=at,
        before=asdict(before) if before else {},
        after=asdict(line),
    )


@transaction.atomic
def end_feature(
    draft: RateDraft, feature: str, *, seen: str, by: User, at: datetime
) -> None:
    """Leave a feature out: its jobs will be refused (R97).

    Raises:
        DraftMoved: the draft is not what was seen.
    """
    locked = drafting.locked(draft, seen)
    ended = [line for line in locked.lines if line["feature"] == feature]
    locked.lines = [line for line in locked.lines if line not in ended]
    locked.save(update_fields=["lines"])
    drafting.record("feature_ended", locked, by=by, at=at, before={"lines": ended})


@transaction.atomic
def set_start(
    draft: RateDraft, starts_at: datetime | None, *, seen: str, by: User, at: datetime
) -> None:
    """Say from when the rates are to hold; None: from their publication.

    Raises:
        DraftMoved: the draft is not what was seen.
        DraftRefused: rates cannot begin then.
    """
    locked = drafting.locked(draft, seen)
    _require_start(locked, starts_at or at, at=at)
    before, locked.starts_at = locked.starts_at, starts_at
    locked.save(update_fields=["starts_at"])
    drafting.record(
        "start_set",
        locked,
        by=by,
        at=at,
        before={"starts_at": str(before)},
        after={"starts_at": str(starts_at)},
    )


@transaction.atomic
def withdraw(draft: RateDraft, *, by: User, at: datetime) -> None:
    """Close a draft for good, without effect.

    Raises:
        DraftMoved: it is closed already.
    """
    locked = drafting.locked(draft)
    locked.state, locked.closed_by, locked.closed_at = DraftState.WITHDRAWN, by, at
    locked.save()
    drafting.record("withdrawn", locked, by=by, at=at, after={"state": locked.state})


@transaction.atomic
def publish(
    draft: RateDraft,
    *,
    seen: str,
    tells_customers: bool,
    reason: str,
    by: User,
    at: datetime,
) -> RateCard:
    """Publish a draft as the next version, once, as it was shown.

    With `tells_customers` each customer whose jobs of late would have cost more hears
    of it (`rate_notices`).

    Raises:
        DraftMoved: it is not what was seen, or is closed.
        DraftRefused: it cannot be published; its message says why.

    Source: docs/rules.md R96.
    """
    # All open drafts, so that two of one card are not published beside each other.
    opened = RateDraft.objects.filter(state=DraftState.OPEN).order_by("pk")
    list(opened.select_for_update().values_list("pk"))
    locked = drafting.locked(draft, seen)
    _require_publishable(locked, at=at)
    card = _publish(locked, at=at)
    locked.state, locked.closed_by, locked.closed_at = DraftState.PUBLISHED, by, at
    locked.card, locked.told_up_to = card, 0 if tells_customers else None
    locked.save()
    drafting.record(
        "published",
        locked,
        by=by,
        at=at,
        before={"card": str(locked.based_on)},
        after={
            "card": str(card),
            "starts_at": str(card.starts_at),
            "shown": seen,
            "tells_customers": tells_customers,
        },
        reason=reason,
    )
    return card


def _publish(draft: RateDraft, *, at: datetime) -> RateCard:
    # Counted over all rate plans: what a version calls a feature is remembered for
    # good (`quoting.published_rate`), so no second card may come to a version.
    last = RateCard.objects.aggregate(version=Max("version"))["version"]
    card = CardToPublish(
        rate_plan=draft.based_on.rate_plan,
        version=last + 1,
        starts_at=draft.starts_at or at,
        lines=lines_of(draft),
    )
    rate_cards.publish(card, at=at)
    return RateCard.objects.get(rate_plan=card.rate_plan, version=card.version)


def _require_publishable(draft: RateDraft, *, at: datetime) -> None:
    last = last_card(draft.based_on.rate_plan)
    if last != draft.based_on:
        raise DraftRefused(
            _("%(card)s was published meanwhile. Begin a new draft from it.")
            % {"card": last}
        )
    if not any(change.is_changed for change in changes_of(draft)):
        raise DraftRefused(_("The draft changes nothing: change or withdraw it."))
    if not draft.lines:
        raise DraftRefused(_("The draft has no rate: every job would be refused."))
    _require_start(draft, draft.starts_at or at, at=at)


def _require_start(draft: RateDraft, starts_at: datetime, *, at: datetime) -> None:
    if starts_at < at:
        raise DraftRefused(_("The start has passed. Choose a later one."))
    if starts_at <= draft.based_on.starts_at:
        raise DraftRefused(
            _("Rates can begin only after those of version %(version)s have.")
            % {"version": draft.based_on.version}
        )


def _require_possible(line: RateLine, card: RateCard) -> None:
    """Refuse a rate that people could not be shown, or that no job can have.

    Raises:
        DraftRefused: with the reason.
    """
    if not _FEATURE.fullmatch(line.feature) or line.feature in _RESERVED:
        raise DraftRefused(_("A feature's code is words such as “video-agent”."))
    if not (0 <= line.credits <= MAX_RATE_CREDITS and 1 <= line.per <= MAX_PER):
        raise DraftRefused(_("A rate is some credits for at least one unit."))
    was = card.rates.filter(feature=line.feature).first()
    if was and was.unit != line.unit:
        raise DraftRefused(_("A feature keeps what it counts: add another one."))
    _require_readable(line)


def _require_readable(line: RateLine) -> None:
    is_timed = line.unit == RateUnit.MILLISECOND
    if is_timed != (line.shown_per in quoting.SHOWN_MS):
        raise DraftRefused(
            _("Time is shown per %(spans)s, a piece by its own word.")
            % {"spans": ", ".join(quoting.SHOWN_MS)}
        )
    if not rate_of(line).is_shown_exactly:
        raise DraftRefused(
            _("That is not a whole number of credits per %(unit)s, as it is shown.")
            % {"unit": line.shown_per}
        )
