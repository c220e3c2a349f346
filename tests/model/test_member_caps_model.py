"""The same commands by members who have caps, in cycles that come and go (R87).

A machine of its own: in one with all rules the rare turns of each would be rarer.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from credits import ledger
from credits.models import GrantSource
from tests.factories import make_user
from tests.model.test_ledger_model import LedgerMachine, leaps, stories

members = st.sampled_from([0, 1])
# Few and round, so that what is used meets the cap, and just does not.
costs = st.sampled_from([0, 1, 5, 10, 20])
some_caps = st.none() | st.sampled_from([0, 5, 20, 40])
cycles = st.sampled_from([None, timedelta(days=1), timedelta(days=2)])


class MemberCapsMachine(LedgerMachine):
    """Two members use a wallet with credits in plenty: what refuses is their caps."""

    # What befalls grants is told by the other machine.
    revoke = remove = reinstate = freeze = unfreeze = move = owe = terms = job = None
    take_away_and_put_back = None

    @initialize()
    def begin(self):
        super().begin()
        self.members = [make_user().pk, make_user().pk]
        self.grant(credits=2_000, cost=0, source=GrantSource.PROMO, lifetime=None)

    @rule(who=members, credits=costs)
    def spend_as_member(self, who, credits):
        self.spend_by(self.members[who], credits)

    @rule(who=members, credits=costs, hours=st.sampled_from([12, 24, 24 * 9]))
    def hold_as_member(self, who, credits, hours):
        self.hold_by(self.members[who], credits, timedelta(hours=hours))

    @rule(who=members, credits=costs, used=costs)
    def job_as_member(self, who, credits, used):
        """By chance alone few holds are still open when their job is charged."""
        place = len(self.hold_ids)
        self.hold_as_member(who, credits, hours=24)
        if len(self.hold_ids) > place:
            self.capture(place, credits=used, is_final=True, absorbs=True)

    @rule(who=st.none() | members, credits=some_caps)
    def cap(self, who, credits):
        member = None if who is None else self.members[who]
        before = ledger.set_cap(
            wallet_id=self.row.pk,
            member_id=member,
            credits=credits,
            set_by_id=self.members[0],
            at=self.at,
        )
        assert before == self.model.caps.pop(member, None)
        if credits is not None:
            self.model.caps[member] = credits
        self.last = None  # an old command under another cap is another test

    @rule(ahead=leaps, lasting=cycles)
    def a_cycle_begins(self, ahead, lasting):
        begin = self.at + ahead
        self.model.cycle = (begin, begin + lasting) if lasting else (None, None)
        ledger.set_terms(
            wallet_id=self.row.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=self.model.cycle[0],
            cycle_ends_at=self.model.cycle[1],
            plan_ends_at=self.model.plan_ends_at,
            spends_until=self.model.spends_until,
        )

    def figures_agree(self):
        super().figures_agree()
        usage = ledger.usage_of_caps(
            wallet_id=self.row.pk, member_ids=self.members, at=self.at
        )
        assert [(one.member_id, one.used, one.starts_at) for one in usage] == [
            (member, self.model.used(member, self.at), self.model.window(self.at))
            for member in self.members
        ]


@pytest.mark.django_db
def test_member_caps_agree_with_the_model():
    run_state_machine_as_test(MemberCapsMachine, settings=stories)
