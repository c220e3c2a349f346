"""The ledger in plain Python, written from the rule book: what must happen.

Imports nothing of the project. Slow and obvious on purpose: the SQL functions are
driven with the same random commands and compared with it after every step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
CLOCK_STOPS = {"DISPUTE", "FRAUD_WARNING", "PAUSE"}  # R66, R83, R84; not R58
TIES = {"PROMO": 0, "ADJUSTMENT": 0, "PLAN": 1, "UPGRADE": 1}  # R2; others 2


class Refused(Exception):
    """A command that changes nothing; its text is the name of the expected error."""


@dataclass(eq=False)
class Grant:
    number: int
    source: str
    granted: int
    effective_at: datetime
    expires_at: datetime | None
    cost: int = 0
    remaining: int = 0
    held: int = 0
    frozen_for: set[str] = field(default_factory=set)
    clock_stopped_at: datetime | None = None

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def is_over(self, at: datetime) -> bool:
        # R5: half-open; the instant of expiry itself is too late.
        if self.expires_at is None or self.clock_stopped_at is not None:
            return False
        return self.expires_at <= at

    def order(self):
        never = datetime.max.replace(tzinfo=self.effective_at.tzinfo)
        tie = TIES.get(self.source, 2)
        return (self.expires_at or never, tie, self.effective_at, self.number)


@dataclass(eq=False)
class Hold:
    credits: int
    pins: list[list]  # [grant, credits], in the order taken
    expires_at: datetime
    extendable_until: datetime
    captured: int = 0
    state: str = "OPEN"

    @property
    def rest(self) -> int:
        return self.credits - self.captured


@dataclass
class Wallet:
    is_blocked: bool = False
    debt: int = 0
    grants: list[Grant] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    keys: dict[str, tuple] = field(default_factory=dict)
    spends: list[list[list]] = field(default_factory=list)
    free_returns: set[int] = field(default_factory=set)

    @property
    def balance(self) -> int:
        return sum(grant.remaining for grant in self.grants)

    @property
    def held(self) -> int:
        return sum(grant.held for grant in self.grants)

    @property
    def frozen(self) -> int:
        return sum(grant.free for grant in self.grants if grant.frozen_for)

    @property
    def available(self) -> int:
        return self.balance - self.held - self.frozen

    def settle(self, at: datetime) -> None:
        """R5, R17, R70: end what is due in the order of time, grants before holds."""
        while True:
            due = [(g.expires_at, 0, g.number, g) for g in self.grants]
            due = [d for d in due if d[3].free and d[3].is_over(at)]
            due += [
                (hold.expires_at, 1, number, hold)
                for number, hold in enumerate(self.holds)
                if hold.state == "OPEN" and hold.expires_at <= at
            ]
            if not due:
                return
            when, kind, _, thing = min(due, key=lambda d: d[:3])
            if kind == 0:
                thing.remaining = thing.held
            else:
                self._give_back(thing, our_failure=True, at=when)
                thing.state = "EXPIRED"

    def once(self, key: str, content: object) -> bool:
        """R109: whether this is the first time; another content is a conflict."""
        if key in self.keys and self.keys[key] != content:
            raise Refused("IdempotencyConflict")
        return key not in self.keys

    def grant(self, *, key, source, credits, cost, effective_at, expires_at, at):
        self.settle(at)
        content = ("grant", source, credits, cost)
        if not self.once(key, content):
            return
        self.keys[key] = content
        grant = self._add(source, credits, effective_at, expires_at, cost)
        if source in {"PURCHASE", "RELOAD"}:  # R79
            owed = min(self.debt, credits)
            grant.remaining -= owed
            self.debt -= owed

    def spend(self, *, key, credits, at):
        self.settle(at)
        content = ("spend", credits)
        if not self.once(key, content):
            return
        self._may_use(credits)
        self.keys[key] = content
        taken = self._choose(credits)
        for grant, n in taken:
            grant.remaining -= n
        self.spends.append(taken)

    def hold(self, *, key, credits, ttl, at):
        self.settle(at)
        content = ("hold", credits)
        if not self.once(key, content):
            return
        self._may_use(credits)
        self.keys[key] = content
        pins = self._choose(credits)
        for grant, n in pins:
            grant.held += n
        longest = timedelta(days=7)
        self.holds.append(Hold(credits, pins, at + min(ttl, longest), at + longest))

    def extend(self, hold, *, key, ttl, at):
        self.settle(at)
        content = ("extend", id(hold))
        if not self.once(key, content):
            return
        self._must_be_open(hold)
        self.keys[key] = content
        hold.expires_at = max(hold.expires_at, min(at + ttl, hold.extendable_until))

    def capture(self, hold, *, key, credits, is_final, absorbs, at):
        self.settle(at)
        content = ("capture", id(hold), credits, is_final)
        if not self.once(key, content):
            return
        self._must_be_open(hold)
        if credits > hold.rest and not absorbs:
            raise Refused("ExceedsHold")
        self.keys[key] = content
        need = charge = min(credits, hold.rest)  # R71
        taken = []
        for pin in hold.pins:
            grant, n = pin
            take = min(need, n)
            need -= take
            pin[1] -= take
            grant.remaining -= take
            grant.held -= take
            if take:
                taken.append([grant, take])
        hold.captured += charge
        self.spends.append(taken)
        if is_final or not hold.rest:
            self._give_back(hold, our_failure=False, at=at)
            hold.state = "CAPTURED"

    def release(self, hold, *, key, our_failure, at):
        self.settle(at)
        content = ("release", id(hold), our_failure)
        if not self.once(key, content):
            return
        self._must_be_open(hold)
        self.keys[key] = content
        self._give_back(hold, our_failure=our_failure, at=at)
        hold.state = "RELEASED"

    def revoke(self, grant, *, key, credits, at):
        self.settle(at)
        content = ("revoke", grant.number, credits)
        if not self.once(key, content):
            return
        take = grant.free if credits is None else credits
        if take > grant.free:
            raise Refused("NotEnoughLeft")
        if take:
            self.keys[key] = content
            grant.remaining -= take

    def freeze(self, grant, *, key, why, at):
        self.settle(at)
        content = ("freeze", grant.number, why)
        if not self.once(key, content) or why in grant.frozen_for:
            return
        self.keys[key] = content
        grant.frozen_for.add(why)
        if why in CLOCK_STOPS and grant.clock_stopped_at is None:
            grant.clock_stopped_at = at

    def unfreeze(self, grant, *, key, why, at):
        self.settle(at)
        content = ("unfreeze", grant.number, why)
        if not self.once(key, content) or why not in grant.frozen_for:
            return
        self.keys[key] = content
        grant.frozen_for.remove(why)
        if grant.clock_stopped_at and not grant.frozen_for & CLOCK_STOPS:
            if grant.expires_at:
                grant.expires_at += max(at - grant.clock_stopped_at, timedelta(0))
            grant.clock_stopped_at = None

    def reverse(self, number, *, key, credits, at):
        self.settle(at)
        content = ("reverse", number, credits)
        if not self.once(key, content):
            return
        taken = self.spends[number]
        left = sum(n for _, n in taken)
        need = left if credits is None else credits
        if need > left:
            raise Refused("NotEnoughLeft")
        if not need and (taken or number in self.free_returns):
            return
        self.keys[key] = content
        if not need:  # R8: a row that moves nothing, once
            self.free_returns.add(number)
        for pair in reversed(taken):  # R3: last taken first
            grant, n = pair
            back = min(need, n)
            if not back:
                continue
            need -= back
            pair[1] -= back
            if grant.is_over(at):
                grant.expires_at = at + 72 * HOUR
            grant.remaining += back

    def move(self, grant, *, key, expires_at, at):
        self.settle(at)
        content = ("move", grant.number, expires_at)
        if not self.once(key, content):
            return
        if not grant.free:
            return
        later = grant.expires_at is not None and expires_at > grant.expires_at
        if grant.frozen_for or not later:
            raise Refused("NotPossible")
        self.keys[key] = content
        credits, gone = grant.free, grant.granted - grant.remaining
        share = grant.cost * (gone + credits) // grant.granted  # R100
        share -= grant.cost * gone // grant.granted
        grant.remaining -= credits
        self._add(grant.source, credits, at, expires_at, share)

    def owe(self, *, key, credits, at):
        self.settle(at)
        if self.once(key, ("owe", credits)):
            self.keys[key] = ("owe", credits)
            self.debt += credits

    def clear(self, *, key, credits, at):
        self.settle(at)
        if self.once(key, ("clear", credits)):
            if credits > self.debt:
                raise Refused("NotEnoughLeft")
            self.keys[key] = ("clear", credits)
            self.debt -= credits

    def _add(self, source, credits, effective_at, expires_at, cost):
        grant = Grant(
            len(self.grants), source, credits, effective_at, expires_at, cost, credits
        )
        self.grants.append(grant)
        return grant

    def _may_use(self, credits):
        if self.is_blocked:
            raise Refused("SpendingBlocked")
        if credits > self.available:
            raise Refused("InsufficientCredits")

    def _must_be_open(self, hold):
        if hold.state != "OPEN":
            raise Refused("HoldClosed")

    def _choose(self, credits):
        chosen = []
        usable = [g for g in self.grants if g.free and not g.frozen_for]
        for grant in sorted(usable, key=Grant.order):
            n = min(credits, grant.free)
            credits -= n
            if n:
                chosen.append([grant, n])
        return chosen

    def _give_back(self, hold, *, our_failure, at):
        """R70: what comes back to an expired grant ends, or lives 72 hours more."""
        for pin in hold.pins:
            grant, n = pin
            if not n:
                continue
            grant.held -= n
            pin[1] = 0
            if grant.is_over(at):
                if our_failure:
                    grant.expires_at = at + 72 * HOUR
                else:
                    grant.remaining = grant.held
