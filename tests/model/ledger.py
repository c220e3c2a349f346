"""The ledger in plain Python, written from the rule book: what must happen.

Imports nothing of the project. Slow and obvious on purpose: the SQL functions are
driven with the same random commands and compared with it after every step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
CLOCK_STOPS = {"DISPUTE", "FRAUD_WARNING", "PAUSE"}  # R66, R83, R84; not R58
FROM_PLANS = {"PLAN", "UPGRADE"}
BOUGHT = {"PURCHASE", "RELOAD"}
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

    def order(self, plan_ends_at):
        ends = [self.expires_at]
        if self.source in FROM_PLANS:
            ends.append(plan_ends_at)  # R15: whichever comes first
        never = datetime.max.replace(tzinfo=self.effective_at.tzinfo)
        first = min((end for end in ends if end), default=never)
        return (first, TIES.get(self.source, 2), self.effective_at, self.number)


@dataclass(eq=False)
class Hold:
    credits: int
    pins: list[list]  # [grant, credits], in the order taken
    expires_at: datetime
    extendable_until: datetime
    member: int | None = None
    captured: int = 0
    state: str = "OPEN"

    @property
    def rest(self) -> int:
        return self.credits - self.captured


@dataclass(eq=False)
class Charge:
    """What a spend or a capture took and has not given back, in the order taken."""

    taken: list[list]  # [grant, credits]
    member: int | None
    at: datetime

    @property
    def credits(self) -> int:
        return sum(n for _, n in self.taken)


@dataclass
class Wallet:
    is_blocked: bool = False
    plan_ends_at: datetime | None = None
    plan_is_over: bool = False
    spends_until: datetime | None = None
    debt: int = 0
    grants: list[Grant] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    keys: dict[str, tuple] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)
    revoked: list[list[list]] = field(default_factory=list)
    free_returns: set[int] = field(default_factory=set)
    caps: dict[int | None, int] = field(default_factory=dict)  # None: each member
    cycle: tuple[datetime | None, datetime | None] = (None, None)

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
            if self._plan_end and self._plan_end <= at:
                due.append((self._plan_end, -1, 0, None))
            due += [
                (hold.expires_at, 1, number, hold)
                for number, hold in enumerate(self.holds)
                if hold.state == "OPEN" and hold.expires_at <= at
            ]
            if not due:
                return
            when, kind, _, thing = min(due, key=lambda d: d[:3])
            if kind == -1:
                self._end_plan()
            elif kind == 0:
                thing.remaining = thing.held
            else:
                self._give_back(thing, our_failure=True, at=when)
                thing.state = "EXPIRED"

    def set_terms(self, *, plan_ends_at, spends_until):
        """R15: an end that is taken back in time leaves no trace."""
        self.plan_is_over = self.plan_is_over and plan_ends_at == self.plan_ends_at
        self.plan_ends_at = plan_ends_at
        self.spends_until = spends_until

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
        if source in BOUGHT:
            self._repay(grant, credits)

    def spend(self, *, key, credits, member, at):
        self.settle(at)
        content = ("spend", credits, member)
        if not self.once(key, content):
            return
        self._may_use(credits, member, at)
        self.keys[key] = content
        taken = self._choose(credits)
        for grant, n in taken:
            grant.remaining -= n
        self.charges.append(Charge(taken, member, at))

    def hold(self, *, key, credits, member, ttl, at):
        self.settle(at)
        content = ("hold", credits, member)
        if not self.once(key, content):
            return
        self._may_use(credits, member, at)
        self.keys[key] = content
        pins = self._choose(credits)
        for grant, n in pins:
            grant.held += n
        longest = timedelta(days=7)
        ends = at + min(ttl, longest)
        self.holds.append(Hold(credits, pins, ends, at + longest, member))

    def extend(self, hold, *, key, ttl, at):
        self.settle(at)
        content = ("extend", id(hold), ttl)
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
        self.charges.append(Charge(taken, hold.member, at))
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
            self.revoked.append([[grant, take]])

    def remove(self, grant, *, key, credits, at):
        """R92: in the order of debits, or from one grant; only what is available."""
        self.settle(at)
        content = ("remove", grant and grant.number, credits)
        if not self.once(key, content):
            return
        taken = self._choose(credits, only=grant)
        if sum(n for _, n in taken) < credits:
            raise Refused("NotEnoughLeft")
        self.keys[key] = content
        for lot, n in taken:
            lot.remaining -= n
        self.revoked.append(taken)

    def reinstate(self, number, *, key, at):
        """R80: what comes back to a grant that has ended meanwhile ends now."""
        self.settle(at)
        content = ("reinstate", number)
        if not self.once(key, content):
            return
        taken, self.revoked[number] = self.revoked[number], []
        if not taken:
            raise Refused("NotPossible")
        self.keys[key] = content
        for grant, n in taken:
            self._put_back(grant, n, at)

    def _put_back(self, grant, n, at):
        # R15, R58: what plans gave ended with the plan, unless it was given later, or
        # lives on because a job failed (R70).
        ended = grant.source in FROM_PLANS and self.plan_is_over and not grant.free
        ended = ended and grant.effective_at <= self.plan_ends_at
        if not (grant.is_over(at) or ended):
            grant.remaining += n

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
        taken = self.charges[number].taken
        left = self.charges[number].credits
        need = left if credits is None else credits
        if need > left:
            raise Refused("NotEnoughLeft")
        if not need and (taken or number in self.free_returns):
            return
        self.keys[key] = content
        if not need:  # R8: a row that moves nothing, once
            self.free_returns.add(number)
        for pair in reversed(taken):  # R3: last taken first
            back = min(need, pair[1])
            if back:
                need -= back
                pair[1] -= back
                self._take_back(pair[0], back, at)

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

    def used(self, member, at):
        """R87: charges of the window, less what came back of them, and open holds."""
        since = self.window(at)
        charges = [c for c in self.charges if c.member == member and c.at >= since]
        holds = [h for h in self.holds if h.member == member and h.state == "OPEN"]
        return sum(c.credits for c in charges) + sum(h.rest for h in holds)

    def tightest_cap(self, member):
        """R87: of those that apply; to jobs of nobody none does."""
        applying = [self.caps[who] for who in {member, None} & self.caps.keys()]
        return min(applying, default=None) if member else None

    def window(self, at):
        """R87: when it began: with the cycle, after it, or with the month in UTC."""
        for bound in reversed(self.cycle):
            if bound and at >= bound:
                return bound
        return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    def _add(self, source, credits, effective_at, expires_at, cost):
        grant = Grant(
            len(self.grants), source, credits, effective_at, expires_at, cost, credits
        )
        self.grants.append(grant)
        return grant

    def _take_back(self, grant, credits, at):
        if grant.is_over(at):
            grant.expires_at = at + 72 * HOUR
        grant.remaining += credits
        if grant.source in BOUGHT and not grant.frozen_for:
            self._repay(grant, credits)

    def _repay(self, grant, credits):
        """R79: what is owed is paid before bought credits can be used."""
        owed = min(self.debt, credits)
        grant.remaining -= owed
        self.debt -= owed

    @property
    def _plan_end(self):
        return None if self.plan_is_over else self.plan_ends_at

    def _end_plan(self):
        """R58: what plans gave before ends now, also what was stopped."""
        self.plan_is_over = True
        end = self.plan_ends_at
        for grant in self.grants:
            if grant.source not in FROM_PLANS or grant.effective_at > end:
                continue
            if not grant.remaining:
                continue
            if grant.clock_stopped_at or not grant.expires_at or grant.expires_at > end:
                grant.expires_at, grant.clock_stopped_at = end, None

    def _may_use(self, credits, member, at):
        # R58, R62: blocked by its dates, though nobody has said so.
        is_too_late = self.spends_until is not None and self.spends_until <= at
        if self.is_blocked or is_too_late:
            raise Refused("SpendingBlocked")
        cap = self.tightest_cap(member)
        # R8: a job that costs nothing needs no room.
        if credits and cap is not None and self.used(member, at) + credits > cap:
            raise Refused("MemberCapReached")
        if credits > self.available:
            raise Refused("InsufficientCredits")

    def _must_be_open(self, hold):
        if hold.state != "OPEN":
            raise Refused("HoldClosed")

    def _choose(self, credits, *, only=None):
        chosen = []
        usable = [g for g in self.grants if g.free and not g.frozen_for]
        usable = [g for g in usable if only in (None, g)]
        for grant in sorted(usable, key=lambda g: g.order(self._plan_end)):
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
