"""The past in vectors: statements of periods, and a wallet as of an instant."""

from __future__ import annotations

from datetime import datetime

from credits import as_of
from credits.period_statements import period_of, statement_of
from tests.golden.replaying import Replay


class StatementReplay(Replay):
    """Is asked at the end for the `periods` and the `instants` that are given."""

    def __init__(self, given: dict):
        super().__init__(given)
        self.periods = given.get("periods", [])
        self.instants = given.get("instants", [])

    def outcome(self) -> dict:
        """Return all that a vector may expect, with what was asked of the past."""
        return super().outcome() | {
            "periods": [self._period(*ends) for ends in self.periods],
            "instants": [self._figures(**asked) for asked in self.instants],
        }

    def _period(self, starts_at: str, ends_at: str) -> dict:
        period = period_of(
            self.wallet.pk,
            starts_at=datetime.fromisoformat(starts_at),
            ends_at=datetime.fromisoformat(ends_at),
            at=self.at,
        )
        statement = statement_of(period, limit=100)
        return {
            "opening": statement.opening.balance,
            "movements": [
                [move.line.kind, move.line.credits, move.line.balance, move.line.drawn]
                for move in statement.movements
            ],
            "grants": [
                [one.brought_by, one.opening, one.came_in, one.went_out, one.closing]
                for one in statement.grants
            ],
            "closing": statement.closing.balance,
        }

    def _figures(self, at: str, known_at: str | None = None) -> dict:
        asked = as_of.as_of(
            self.wallet.pk,
            instant=datetime.fromisoformat(at),
            known_at=datetime.fromisoformat(known_at) if known_at else None,
            at=self.at,
        )
        then = as_of.wallet_then(asked)
        return {figure: getattr(then.figures, figure) for figure in as_of.Figure}
