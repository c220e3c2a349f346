"""Rates in vectors that staff draft and publish."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from accounts.roles import StaffGroup
from credits import drafting, rate_drafts
from credits.models import RateDraft
from tests.factories import make_staff
from tests.golden.replaying import REFUSALS, Replay


class DraftReplay(Replay):
    """A wallet, and somebody who may publish rates."""

    refusals_expected = (*REFUSALS, drafting.DraftRefused)

    def __init__(self, given: dict):
        super().__init__(given)
        self.ada = make_staff(StaffGroup.ADMIN)
        self.drafts: dict[str, RateDraft] = {}

    def _draft_rates(self, command: dict, _: dict) -> None:
        """Draft other rates than those of the last card, from an instant on."""
        author = {"by": self.ada, "at": self.at}
        draft = rate_drafts.begin(rate_plan=self.rate_plan, **author)
        for line in rate_drafts.lines_of(draft):
            if rate := command["rates"].get(line.feature):
                line = replace(line, credits=rate[0], per=rate[1])  # noqa: PLW2901
                draft.refresh_from_db()
                rate_drafts.set_rate(draft, line, seen=draft.digest, **author)
        draft.refresh_from_db()
        if starts_at := command.get("starts_at"):
            start = datetime.fromisoformat(starts_at)
            rate_drafts.set_start(draft, start, seen=draft.digest, **author)
            draft.refresh_from_db()
        self.drafts[command["as"]] = draft

    def _publish_draft(self, command: dict, _: dict) -> None:
        """Publish a draft as it was when it was drafted."""
        draft = self.drafts[command["draft"]]
        rate_drafts.publish(
            draft,
            seen=draft.digest,
            tells_customers=False,
            reason="vector",
            by=self.ada,
            at=self.at,
        )
