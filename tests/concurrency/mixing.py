"""Players for every verb of the ledger, let loose on a few wallets at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random

from django.db import connections, transaction

from credits import ledger
from credits.models import Freeze, GrantSource, Wallet
from tests.concurrency.racing import race
from tests.conftest import NOW
from tests.factories import make_user, make_wallet

THREADS = 16
STEP = timedelta(minutes=2)  # so that grants expire and holds lapse on the way
ROUND = 500  # plays; plans and cycles end between two rounds, when no thread lags
CYCLE = (NOW, NOW + (2 * ROUND + 1) * STEP)


@dataclass
class Pot:
    """A wallet, what was made in it, and what was said to it: by key.

    What leaves no entry is noted with the number of the entry that it follows.
    """

    wallet_id: int
    members: list[int]
    grants: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    spends: list[int] = field(default_factory=list)
    revokes: list[int] = field(default_factory=list)
    said: dict[str, tuple[str, int | None, dict]] = field(default_factory=dict)
    notes: list[tuple[int, str, dict]] = field(default_factory=list)

    def say(self, verb: str, target: int | None, key: str, **options) -> dict:
        """Note for the replay what is about to be said, and return it."""
        self.said[key] = (verb, target, {"key": key, **options})
        return {"idempotency_key": key, "actor": "test", "at": options["at"]}

    def note(self, verb: str, **options) -> None:
        """Note what was just said; the transaction still has the wallet's lock."""
        seq = Wallet.objects.values_list("seq", flat=True).get(pk=self.wallet_id)
        self.notes.append((seq, verb, options))


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
        # The ledger's own keys are of the form "move:17".
        return verb(self, pot, dice, key=f"said-{verb.__name__}:{n}", at=at)

    def grant(self, pot, dice, *, key, at):
        source = dice.choice([one for one in GrantSource if one != GrantSource.PACK])
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
        member = dice.choice([None, *pot.members])
        said = pot.say(
            "hold", None, key, credits=credits, member=member, ttl=ttl, at=at
        )
        held = ledger.hold(
            wallet_id=pot.wallet_id,
            credits=credits,
            rate_version=1,
            member_id=member,
            time_to_live=ttl,
            **said,
        )
        pot.holds.append(held.hold_id)
        return held

    def extend(self, pot, dice, *, key, at):
        if not pot.holds:
            return None
        hold_id, ttl = dice.choice(pot.holds[-8:]), timedelta(hours=dice.randint(6, 48))
        said = pot.say("extend", hold_id, key, ttl=ttl, at=at)
        return ledger.extend_hold(hold_id=hold_id, time_to_live=ttl, **said)

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
        revoked = ledger.revoke(
            grant_id=grant_id, credits=credits, reason="because", **said
        )
        pot.revokes.append(revoked.entry_id)
        return revoked

    def reinstate(self, pot, dice, *, key, at):
        if not pot.revokes:
            return None
        entry_id = dice.choice(pot.revokes[-6:])
        said = pot.say("reinstate", entry_id, key, at=at)
        return ledger.reinstate(entry_id=entry_id, reason="because", **said)

    def move(self, pot, dice, *, key, at):
        grant_id = dice.choice(pot.grants[-6:])
        expires_at = at + timedelta(hours=dice.randint(24, 72))
        said = pot.say("move", grant_id, key, expires_at=expires_at, at=at)
        moved = ledger.move(
            grant_id=grant_id, expires_at=expires_at, reason="because", **said
        )
        if moved.grant_id:
            pot.grants.append(moved.grant_id)
        return moved

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

    def owe(self, pot, dice, *, key, at):
        return self._owe("owe", ledger.record_debt, pot, dice, key, at)

    def clear(self, pot, dice, *, key, at):
        return self._owe("clear", ledger.clear_debt, pot, dice, key, at)

    def _owe(self, name, verb, pot, dice, key, at):
        credits = dice.randint(1, 15)
        said = pot.say(name, None, key, credits=credits, at=at)
        return verb(wallet_id=pot.wallet_id, credits=credits, reason="because", **said)

    def terms(self, pot, dice, *, key, at):
        """R15, R62: a plan ends with this round or the next one, or does not end."""
        rounds = (at - NOW - STEP) // (ROUND * STEP)
        ends = [NOW + ((rounds + n) * ROUND + 1) * STEP for n in (1, 2)]
        said = {
            "plan_ends_at": dice.choice([None, *ends]),
            "spends_until": dice.choice([None, None, at + timedelta(hours=1)]),
        }
        with transaction.atomic():
            ledger.expire_wallet(wallet_id=pot.wallet_id, at=at)
            set_terms(pot, **said)
            pot.note("settle", at=at)
            pot.note("set_terms", **said)

    def cap(self, pot, dice, *, key, at):
        """R87: on one member or on each, or none any more."""
        member, credits = dice.choice([None, *pot.members]), dice.choice([None, 40, 80])
        with transaction.atomic():
            ledger.set_cap(
                wallet_id=pot.wallet_id,
                member_id=member,
                credits=credits,
                set_by_id=pot.members[0],
                at=at,
            )
            pot.note("settle", at=at)
            pot.note("cap", member=member, credits=credits)

    def _job(self, pot, dice, key, at):
        credits, member = dice.randint(0, 12), dice.choice([None, *pot.members])
        pot.say("spend", None, key, credits=credits, member=member, at=at)
        lines = (ledger.UsedLine("look", credits or 1, 1, credits),)
        return ledger.Spend(pot.wallet_id, lines, key, "test", member_id=member)

    VERBS = [
        *(grant, grant, grant, spend, spend, spend_batch, hold, hold, hold, extend),
        *(capture, capture, release, expire, reverse, revoke, freeze, unfreeze),
        *(unfreeze, reinstate, move, move, owe, clear, terms, cap),
    ]


def play(plays: int, *, wallets: int = 20) -> tuple[list[Pot], list[object]]:
    """Begin with one grant a wallet, then let all threads loose, round by round."""
    members = [make_user().pk, make_user().pk]
    pots = [Pot(make_wallet().pk, members) for _ in range(wallets)]
    mix = Mix(pots)
    for n, pot in enumerate(pots):
        set_terms(pot, plan_ends_at=None, spends_until=None)
        first = Random(n)  # noqa: S311 - as above
        mix.grant(pot, first, key=f"first:{n}", at=NOW)
    connections.close_all()  # of the pool's, each thread needs one
    outcomes = []
    for begin in range(0, plays, ROUND):
        outcomes += race(
            lambda n, begin=begin: mix.play(begin + n), rounds=ROUND, threads=THREADS
        )
    return pots, outcomes


def set_terms(pot: Pot, **terms) -> None:
    ledger.set_terms(
        wallet_id=pot.wallet_id,
        spending_block=None,
        way_forward="",
        cycle_starts_at=CYCLE[0],
        cycle_ends_at=CYCLE[1],
        **terms,
    )
