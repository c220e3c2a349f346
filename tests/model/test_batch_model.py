"""Many spends in one call, by members with caps, on this wallet and on another (R109).

A machine of its own: in one with all rules the rare turns of each would be rarer.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from credits import ledger
from credits.models import GrantSource
from credits.models import Wallet as WalletRow
from tests.factories import make_wallet
from tests.model import ledger as model
from tests.model.test_ledger_model import stories
from tests.model.test_member_caps_model import MemberCapsMachine, costs, members

# Whose wallet, who, for how much, and a key: few keys, so that some come twice.
jobs = st.tuples(st.booleans(), st.none() | members, costs, st.integers(0, 4))


class BatchMachine(MemberCapsMachine):
    """Beside a wallet with caps and plenty is one without caps, of small grants."""

    @initialize()
    def begin(self):
        super().begin()
        self.neighbor = model.Wallet()
        self.neighbor_row = make_wallet(
            grants={str(credits): (credits, None) for credits in (30, 7, 50, 23)}
        )
        for credits in (30, 7, 50, 23):
            self.neighbor.grant(
                key=str(credits),
                source=GrantSource.PLAN,
                credits=credits,
                cost=0,
                effective_at=self.at,
                expires_at=None,
                at=self.at,
            )

    @rule(sent=st.lists(jobs, min_size=2, max_size=7))
    def spend_at_once(self, sent):
        prefix, at = self.key(), self.at
        commands = [
            ledger.Spend(
                wallet_id=self.neighbor_row.pk if is_neighbor else self.row.pk,
                lines=(ledger.UsedLine("look", credits + 1, 1, credits),),
                idempotency_key=f"{prefix}:{key}",
                actor="test",
                member_id=None if who is None else self.members[who],
            )
            for is_neighbor, who, credits, key in sent
        ]

        def charge():
            outcomes = ledger.spend_batch(commands, at=at)
            assert list(map(told, outcomes)) == [
                self.wanted(command, at) for command in commands
            ]
            self.spend_ids += [
                outcome.entry_id
                for command, outcome in zip(commands, outcomes, strict=True)
                if command.wallet_id == self.row.pk and is_new(outcome)
            ]

        charge()
        self.last = (charge, lambda: None)

    def wanted(self, command, at):
        """Return what is left after a command by itself, or why it is refused."""
        is_own = command.wallet_id == self.row.pk
        wallet = self.model if is_own else self.neighbor
        try:
            wallet.spend(
                key=command.idempotency_key,
                credits=command.credits,
                member=command.member_id,
                at=at,
            )
        except model.Refused as refusal:
            return str(refusal)
        return wallet.available

    def figures_agree(self):
        super().figures_agree()
        row = WalletRow.objects.get(pk=self.neighbor_row.pk)
        assert (row.balance, list(row.grants.order_by("id").values("remaining"))) == (
            self.neighbor.balance,
            [{"remaining": grant.remaining} for grant in self.neighbor.grants],
        )


def is_new(outcome):
    return isinstance(outcome, ledger.Spent) and not outcome.is_replay


def told(outcome):
    if isinstance(outcome, ledger.Spent):
        return outcome.available
    return type(outcome).__name__


@pytest.mark.django_db
def test_batches_agree_with_the_model():
    run_state_machine_as_test(BatchMachine, settings=stories)
