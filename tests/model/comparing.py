"""A story told to the ledger and to the model, which must agree after every step."""

from __future__ import annotations

from django.db import connection, transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from credits import audits, ledger
from credits.models import LedgerEntry
from tests.conftest import NOW
from tests.factories import make_wallet
from tests.model import ledger as model

LEDGER_CHECKS = ("I1 ", "I2 ", "I3 ", "I4 ")
_WALLET = "SELECT balance, held, frozen, debt FROM credits_wallet WHERE id = %s"
_GRANTS = """
    SELECT remaining, held, cost_basis_cents, expires_at,
        ARRAY(SELECT unnest(frozen_for) ORDER BY 1)
    FROM credits_creditgrant WHERE wallet_id = %s ORDER BY id
"""
_HOLDS = """
    SELECT state, captured, expires_at FROM credits_hold
    WHERE wallet_id = %s ORDER BY id
"""


class ComparedMachine(RuleBasedStateMachine):
    """One wallet, as rows and as a model. What is commanded, subclasses say."""

    @initialize()
    def begin(self):
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.at = NOW
        self.row = make_wallet()
        self.model = model.Wallet()
        self.calls = 0
        self.grant_ids = []
        self.hold_ids = []
        self.spend_ids = []
        self.revoke_ids = []
        self.last = None

    def teardown(self):
        if not hasattr(self, "atomic"):
            return
        try:
            self.the_ledger_adds_up()
            # Billing's own checks would ask who paid for these grants.
            findings = [f for f in audits.verify() if f.check.startswith(LEDGER_CHECKS)]
            assert findings == []
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def both(self, expected, actual):
        """Run a command on the model and on the ledger: same refusal, or none."""
        outcome = refusal = wanted = None
        try:
            with transaction.atomic():
                outcome = actual()
        except ledger.CreditsError as error:
            refusal = error
        try:
            expected()
        except model.Refused as error:
            wanted = str(error)
        assert (refusal and type(refusal).__name__) == wanted
        self.what_is_told_agrees(refusal or outcome)
        if not refusal:  # which would have undone what it ended
            self.wallet_agrees()
        self.last = (expected, actual)
        return outcome

    def what_is_told_agrees(self, told):
        if hasattr(told, "available") and not getattr(told, "is_replay", False):
            assert told.available == self.model.available

    def key(self):
        self.calls += 1
        return f"{self.row.pk}:{self.calls}"

    def common(self, key):
        return {"idempotency_key": key, "actor": "test", "at": self.at}

    def corrected(self, key):
        return {**self.common(key), "reason": "because"}

    @invariant()
    def they_agree(self):
        if not hasattr(self, "row"):
            return
        self.model.settle(self.at)
        ledger.expire_wallet(wallet_id=self.row.pk, at=self.at)
        self.figures_agree()
        self.grants_agree()
        self.holds_agree()

    def figures_agree(self):
        self.wallet_agrees()

    def wallet_agrees(self):
        wanted = self.model
        assert self.rows(_WALLET) == [
            (wanted.balance, wanted.held, wanted.frozen, wanted.debt)
        ]
        assert wanted.available >= 0

    def grants_agree(self):
        assert self.rows(_GRANTS) == [
            (g.remaining, g.held, g.cost, g.expires_at, sorted(g.frozen_for))
            for g in self.model.grants
        ]

    def holds_agree(self):
        assert self.rows(_HOLDS) == [
            (h.state, h.captured, h.expires_at) for h in self.model.holds
        ]

    def rows(self, query):
        """Plain SQL, which is several times as fast: it is asked after every step."""
        with connection.cursor() as cursor:
            cursor.execute(query, [self.row.pk])
            return cursor.fetchall()

    def the_ledger_adds_up(self):
        balance = 0
        entries = LedgerEntry.objects.filter(wallet=self.row).order_by("seq")
        for seq, entry in enumerate(entries.prefetch_related("draws"), start=1):
            balance += entry.credits
            assert (entry.seq, entry.balance_after) == (seq, balance)
            draws = entry.draws.all()
            assert entry.credits == sum(draw.credits for draw in draws)
            assert entry.held == sum(draw.held for draw in draws)
            assert entry.frozen == sum(draw.frozen for draw in draws)
