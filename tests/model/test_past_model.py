"""The past, asked for later, is what it was: after random commands at random times."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from credits import as_of, ledger
from credits.core.spans import day_of, span_of_days
from credits.models import CreditGrant, Wallet
from credits.period_statements import period_of, statement_of
from tests.model.test_ledger_model import LedgerMachine, stories

ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Asia/Kathmandu")]
FIGURES = ("posted", "held", "frozen", "debt")
# Shares nothing with the statement.
MOVED = """
    SELECT coalesce(sum(credits), 0), coalesce(sum(held), 0), coalesce(sum(frozen), 0),
        coalesce(sum(debt), 0), count(*)
    FROM credits_ledgerentry
    WHERE wallet_id = %s AND occurred_at >= %s AND occurred_at < %s
"""


class PastMachine(LedgerMachine):
    """Remembers the wallet after each command, and in the end asks for it again."""

    def both(self, expected, actual):
        outcome = super().both(expected, actual)
        ledger.expire_wallet(wallet_id=self.row.pk, at=self.at)
        self.past = getattr(self, "past", {}) | {self.at: state_of(self.row.pk)}
        return outcome

    def teardown(self):
        try:
            if hasattr(self, "past"):
                self.the_past_is_what_it_was()
                self.statements_join()
        finally:
            super().teardown()

    def the_past_is_what_it_was(self):
        """R17: an end that was only told of later is not in what was known then."""
        for then, wanted in self.past.items():
            asked = as_of.as_of(self.row.pk, instant=then, known_at=then, at=self.at)
            assert told_by(asked) == wanted
        latest = as_of.as_of(self.row.pk, instant=self.at, at=self.at)
        assert told_by(latest) == state_of(self.row.pk)
        self.every_figure_is_explained(latest)

    def every_figure_is_explained(self, asked):
        then = as_of.wallet_then(asked)
        for figure in as_of.Figure:
            explained = as_of.explain(asked, figure, limit=1_000)
            assert explained.total == getattr(then.figures, figure)
            assert explained.total == sum(one.change for one in explained.entries)
        for grant in then.grants:
            explained = as_of.explain(asked, grant.id, limit=1_000)
            assert explained.total == grant.remaining
            assert explained.total == sum(one.change for one in explained.entries)

    def statements_join(self):
        """Day by day, in zones where days begin at other times."""
        for zone in ZONES:
            days = (day_of(min(self.past), zone), day_of(self.at, zone))
            whole = span_of_days(*days, zone)
            periods = [(day.starts_at, day.ends_at) for day in whole.days]
            found = [self.statement(*ends) for ends in periods]
            for before, after in pairwise(found):
                assert figures(before.closing) == figures(after.opening)
                assert left(before.grants, "closing") == left(after.grants, "opening")
            row = Wallet.objects.get(pk=self.row.pk)
            assert figures(found[0].opening) == [0, 0, 0, 0]
            assert figures(found[-1].closing) == [
                *(row.balance, row.held, row.frozen, row.debt)
            ]

    def statement(self, starts_at, ends_at):
        period = period_of(
            self.row.pk, starts_at=starts_at, ends_at=ends_at, at=self.at
        )
        found = statement_of(period, limit=1_000)
        with connection.cursor() as cursor:
            cursor.execute(MOVED, [self.row.pk, starts_at, ends_at])
            *moved, count = map(int, cursor.fetchone())
        opening, closing = figures(found.opening), figures(found.closing)
        assert [a + b for a, b in zip(opening, moved, strict=True)] == closing
        assert len(found.movements) == found.count == count
        running = opening[0]
        for movement in found.movements:
            running += movement.line.credits
            assert movement.line.balance == running
        assert sum(kind.credits for kind in found.kinds) == moved[0]
        assert sum(grant.opening for grant in found.grants) == opening[0]
        assert sum(grant.closing for grant in found.grants) == closing[0]
        return found


def figures(line) -> list[int]:
    return [line.credits, line.held, line.frozen, line.debt]


def left(grants, figure) -> dict[int, int]:
    amounts = {grant.brought_by: getattr(grant, figure) for grant in grants}
    return {number: amount for number, amount in amounts.items() if amount}


def told_by(asked) -> tuple:
    then = as_of.wallet_then(asked)
    return (
        *(getattr(then.figures, name) for name in FIGURES),
        {grant.id: (grant.remaining, grant.held) for grant in then.grants},
    )


def state_of(wallet_id) -> tuple:
    """A wallet as its own row and its grants say it is."""
    row = Wallet.objects.get(pk=wallet_id)
    grants = CreditGrant.objects.filter(wallet_id=wallet_id, is_open=True)
    return (
        *(row.balance, row.held, row.frozen, row.debt),
        {grant.pk: (grant.remaining, grant.held) for grant in grants},
    )


# Half as many stories as the ledger's own: each is read again day by day.
half = settings(stories, max_examples=20, phases=[Phase.generate])


@pytest.mark.django_db
def test_the_past_stays():
    run_state_machine_as_test(PastMachine, settings=half)
