"""All verbs at once on a few wallets: the books stay right, and tell a true story.

Each wallet's entries, in the order in which they were committed, are replayed one by
one through the reference model: it must end with the same figures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random

import pytest

from credits import audits, ledger
from credits.models import CreditGrant, Freeze, GrantSource, LedgerEntry, Wallet
from tests.concurrency.racing import race
from tests.conftest import NOW
from tests.factories import make_wallet
from tests.model import ledger as model

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

THREADS = 16
STEP = timedelta(minutes=2)  # so that grants expire and holds lapse on the way
LEDGER_CHECKS = ("I1 ", "I2 ", "I3 ", "I4 ")
POSTED = {"Granted", "Spent", "list", "Held", "Captured", "Released", "Corrected"}
REFUSED = {"InsufficientCredits", "ExceedsHold", "HoldClosed", "NotEnoughLeft"}


@dataclass
class Pot:
    """A wallet, what was made in it, and what was said to it: by key."""

    wallet_id: int
    grants: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    spends: list[int] = field(default_factory=list)
    said: dict[str, tuple[str, int | None, dict]] = field(default_factory=dict)

    def say(self, verb: str, target: int | None, key: str, **options) -> dict:
        """Note for the replay what is about to be said, and return it."""
        self.said[key] = (verb, target, {"key": key, **options})
        return {"idempotency_key": key, "actor": "test", "at": options["at"]}


class Mix:
    """A player for each verb: with dice of its own, on any wallet."""

    def __init__(self, pots: list[Pot]):
        self.pots = pots
        # One clock for all: a thread that lags must not play in a distant past.
        self.ticks = count(1)

    def play(self, n: int) -> object:
        dice = Random(n)  # noqa: S311 - dice, and the same in every run
        pot = dice.choice(self.pots)
        verb = dice.choice(self.VERBS)
        at = NOW + next(self.ticks) * STEP
        return verb(self, pot, dice, key=f"{verb.__name__}:{n}", at=at)

    def grant(self, pot, dice, *, key, at):
        source = dice.choice(list(GrantSource))
        facts = {
            "source": source,
            "credits": dice.randint(20, 80),
            "effective_at": at,
            "expires_at": at + timedelta(hours=dice.randint(12, 48)),
        }
        pot.say("grant", None, key, cost=0, at=at, **facts)
        granted = ledger.grant(
            wallet_id=pot.wallet_id,
            source_key=key,
            cost_basis_cents=0,
            actor="test",
            at=at,
            **facts,
        )
        pot.grants.append(granted.grant_id)
        return granted

    def spend(self, pot, dice, *, key, at):
        spent = ledger.spend(self._job(pot, dice, key, at), at=at)
        pot.spends.append(spent.entry_id)
        return spent

    def spend_batch(self, pot, dice, *, key, at):
        pots = [pot, *dice.sample(self.pots, 3)]
        jobs = [self._job(p, dice, f"{key}:{n}", at) for n, p in enumerate(pots)]
        outcomes = ledger.spend_batch(jobs, at=at)
        for one, outcome in zip(pots, outcomes, strict=True):
            if isinstance(outcome, ledger.Spent):
                one.spends.append(outcome.entry_id)
        return outcomes

    def hold(self, pot, dice, *, key, at):
        credits, ttl = dice.randint(0, 30), timedelta(hours=dice.choice([6, 24]))
        said = pot.say("hold", None, key, credits=credits, ttl=ttl, at=at)
        held = ledger.hold(
            wallet_id=pot.wallet_id,
            credits=credits,
            rate_version=1,
            time_to_live=ttl,
            **said,
        )
        pot.holds.append(held.hold_id)
        return held

    def capture(self, pot, dice, *, key, at):
        if not pot.holds:
            return None
        hold_id, credits = dice.choice(pot.holds[-8:]), dice.randint(0, 30)
        options = {"is_final": dice.random() < 0.5, "absorbs": dice.random() < 0.5}
        said = pot.say("capture", hold_id, key, credits=credits, at=at, **options)
        captured = ledger.capture(
            hold_id=hold_id,
            lines=(ledger.UsedLine("look", credits or 1, 1, credits),),
            is_final=options["is_final"],
            absorbs_excess=options["absorbs"],
            **said,
        )
        pot.spends.append(captured.entry_id)
        return captured

    def release(self, pot, dice, *, key, at):
        if not pot.holds:
            return None
        hold_id, ours = dice.choice(pot.holds[-8:]), dice.random() < 0.5
        said = pot.say("release", hold_id, key, our_failure=ours, at=at)
        return ledger.release(hold_id=hold_id, is_our_failure=ours, **said)

    def expire(self, pot, dice, *, key, at):
        if dice.random() < 0.5:
            ledger.expire_due(limit=5, at=at)
        else:
            ledger.expire_wallet(wallet_id=pot.wallet_id, at=at)

    def reverse(self, pot, dice, *, key, at):
        if not pot.spends:
            return None
        entry_id, credits = dice.choice(pot.spends), dice.choice([None, 1, 5])
        said = pot.say("reverse", entry_id, key, credits=credits, at=at)
        return ledger.reverse(
            entry_id=entry_id, credits=credits, reason="because", **said
        )

    def revoke(self, pot, dice, *, key, at):
        grant_id, credits = dice.choice(pot.grants[-6:]), dice.choice([None, 1, 5])
        said = pot.say("revoke", grant_id, key, credits=credits, at=at)
        return ledger.revoke(
            grant_id=grant_id, credits=credits, reason="because", **said
        )

    def freeze(self, pot, dice, *, key, at):
        return self._suspend("freeze", pot, dice, key, at)

    def unfreeze(self, pot, dice, *, key, at):
        return self._suspend("unfreeze", pot, dice, key, at)

    def _suspend(self, verb, pot, dice, key, at):
        grant_id = dice.choice(pot.grants[-6:])
        why = dice.choice([Freeze.NO_PLAN, Freeze.DISPUTE])
        said = pot.say(verb, grant_id, key, why=why, at=at)
        return getattr(ledger, verb)(
            grant_id=grant_id, freeze=why, reason="because", **said
        )

    def _job(self, pot, dice, key, at):
        credits = dice.randint(0, 12)
        pot.say("spend", None, key, credits=credits, at=at)
        lines = (ledger.UsedLine("look", credits or 1, 1, credits),)
        return ledger.Spend(pot.wallet_id, lines, key, "test")

    VERBS = [
        *(grant, grant, spend, spend, spend_batch, hold, hold, hold, capture, capture),
        *(release, expire, reverse, revoke, freeze, unfreeze, unfreeze),
    ]


def play(ops: int, *, wallets: int = 20) -> tuple[list[Pot], list[object]]:
    """Begin with one grant a wallet, then let all threads loose."""
    pots = [Pot(make_wallet().pk) for _ in range(wallets)]
    mix = Mix(pots)
    for n, pot in enumerate(pots):
        first = Random(n)  # noqa: S311 - as above
        mix.grant(pot, first, key=f"first:{n}", at=NOW)
    return pots, race(mix.play, rounds=ops, threads=THREADS)


class Retelling:
    """Says again to the model what was accepted, in the order of the entries.

    What the ledger did by itself, as time went on, it did while it served a command:
    the model is told the time at which that was.
    """

    TARGETS = {
        **dict.fromkeys(["capture", "release"], "hold"),
        **dict.fromkeys(["revoke", "freeze", "unfreeze"], "grant"),
        "reverse": "spend",
    }

    def __init__(self, pot: Pot):
        self.said = pot.said
        self.wallet = model.Wallet()
        self.known = {}
        entries = LedgerEntry.objects.filter(wallet_id=pot.wallet_id).order_by("seq")
        for entry in entries.prefetch_related("draws"):
            self.tell(entry)

    @property
    def grants(self) -> dict[int, model.Grant]:
        return {
            grant_id: grant
            for (kind, grant_id), grant in self.known.items()
            if kind == "grant"
        }

    def tell(self, entry: LedgerEntry) -> None:
        if entry.actor == "system":
            self.wallet.settle(entry.created_at)
            return
        verb, target, options = self.said[entry.idempotency_key]
        aim = [self.known[self.TARGETS[verb], target]] if verb in self.TARGETS else []
        getattr(self.wallet, verb)(*aim, **options)
        self.remember(verb, entry)

    def remember(self, verb: str, entry: LedgerEntry) -> None:
        match verb:
            case "grant":
                [draw] = entry.draws.all()
                self.known["grant", draw.grant_id] = self.wallet.grants[-1]
            case "hold":
                self.known["hold", entry.hold_id] = self.wallet.holds[-1]
            case "spend" | "capture":
                self.known["spend", entry.pk] = len(self.wallet.spends) - 1


def differences(pot: Pot) -> list[str]:
    """Return where the ledger ended differently from the replay."""
    try:
        told = Retelling(pot)
    except (model.Refused, KeyError, ValueError) as error:
        return [f"wallet {pot.wallet_id} cannot be replayed: {error!r}"]
    wanted, row = told.wallet, Wallet.objects.get(pk=pot.wallet_id)
    figures = {
        "the wallet": (
            (row.balance, row.held, row.frozen, row.debt),
            (wanted.balance, wanted.held, wanted.frozen, wanted.debt),
        )
    }
    for grant in CreditGrant.objects.filter(wallet=row):
        should = told.grants[grant.pk]
        figures[f"grant {grant.pk}"] = (
            (grant.remaining, grant.held, grant.expires_at),
            (should.remaining, should.held, should.expires_at),
        )
    return [
        f"{what} of wallet {pot.wallet_id} is {is_}, the model's {should}"
        for what, (is_, should) in figures.items()
        if is_ != should
    ]


def trouble(pots, outcomes) -> dict[str, object]:
    """Return everything that went wrong in a game."""
    expected = POSTED | REFUSED | {"NoneType"}
    odd = [repr(o) for o in outcomes if type(o).__name__ not in expected]
    findings = [f for f in audits.verify() if f.check.startswith(LEDGER_CHECKS)]
    untrue = [text for pot in pots for text in differences(pot)]
    return {
        name: found
        for name, found in (("odd", odd), ("findings", findings), ("untrue", untrue))
        if found
    }


class TestMixedRace:
    @pytest.mark.parametrize(
        "ops", [2_000, pytest.param(50_000, marks=pytest.mark.full)]
    )
    def test_ends_as_if_all_had_queued(self, ops):
        pots, outcomes = play(ops)

        assert trouble(pots, outcomes) == {}
        kinds = Counter(LedgerEntry.objects.values_list("kind", flat=True))
        assert kinds.keys() == {
            *("GRANT", "SPEND", "HOLD", "CAPTURE", "RELEASE", "EXPIRE"),
            *("REVERSE", "REVOKE", "FREEZE", "UNFREEZE"),
        }
        assert min(kinds.values()) >= ops // 100


class TestNegativeControl:
    def test_without_the_wallets_lock_it_does_not(self, without_lock):
        pots, outcomes = play(1_000, wallets=4)

        assert trouble(pots, outcomes) != {}
