"""Random commands drive the ledger and the model: they agree after every step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from credits import ledger
from credits.models import Freeze, GrantSource
from tests.model.comparing import ComparedMachine

credits_ = st.integers(0, 40)
some_credits = st.integers(1, 60)
# Few and round, so that things fall due at one instant, and just beside it.
leaps = st.sampled_from(
    [timedelta(0), timedelta(microseconds=1), timedelta(hours=12), timedelta(days=1)]
)
lifetimes = st.sampled_from([None, *(timedelta(days=d) for d in (1, 2, 5))])
# More often than not there is no end in sight; now and then it lies behind.
plan_ends = st.sampled_from(
    [*[None] * 9, *(timedelta(hours=h) for h in (-12, 0, 12, 24, 48))]
)
index = st.integers(0, 10**6)
# What may befall a grant, and a job between its hold and its end.
blows = ["is frozen", "ends", "ends with the plan"]
turns = st.sampled_from(
    ["charged in part", "lives longer", "times out", "another comes", *blows]
)
reasons = st.sampled_from([Freeze.NO_PLAN, Freeze.DISPUTE, Freeze.PAUSE])


class LedgerMachine(ComparedMachine):
    """One wallet, all verbs, a clock that leaps."""

    @rule(leap=leaps)
    def time_passes(self, leap):
        self.at += leap
        self.last = None  # an old command at a new time is another test

    @rule(
        credits=some_credits,
        cost=st.integers(0, 999),
        source=st.sampled_from([one for one in GrantSource if one != GrantSource.PACK]),
        lifetime=lifetimes,
    )
    def grant(self, credits, cost, source, lifetime):
        key = self.key()
        expires_at = self.at + lifetime if lifetime else None
        facts = {"credits": credits, "effective_at": self.at, "expires_at": expires_at}
        granted = self.both(
            lambda: self.model.grant(
                key=key, source=source, cost=cost, at=self.at, **facts
            ),
            lambda: ledger.grant(
                wallet_id=self.row.pk,
                source=source,
                source_key=key,
                cost_basis_cents=cost,
                actor="test",
                at=self.at,
                **facts,
            ),
        )
        self.grant_ids.append(granted.grant_id)

    @rule(credits=credits_)
    def spend(self, credits):
        self.spend_by(None, credits)

    def spend_by(self, member, credits):
        key, at = self.key(), self.at
        command = ledger.Spend(
            wallet_id=self.row.pk,
            lines=(ledger.UsedLine("look", credits or 1, 1, credits),),
            idempotency_key=key,
            actor="test",
            member_id=member,
        )
        spent = self.both(
            lambda: self.model.spend(key=key, credits=credits, member=member, at=at),
            lambda: ledger.spend(command, at=at),
        )
        if spent:
            self.spend_ids.append(spent.entry_id)

    @rule(credits=credits_, hours=st.sampled_from([12, 24, 24 * 9]))
    def hold(self, credits, hours):
        self.hold_by(None, credits, timedelta(hours=hours))

    @precondition(lambda self: self.grant_ids)
    @rule(n=index, credits=some_credits)
    def hold_until_a_grant_ends(self, n, credits):
        """By chance alone both are hardly ever due at one instant."""
        ends = self.nth_grant(n).expires_at
        if ends and ends > self.at:
            self.hold_by(None, credits, ends - self.at)
            self.time_comes(ends)

    @rule(
        n=index,
        credits=credits_,
        verb=st.sampled_from(["spend", "hold", "capture"]),
    )
    def use_as_something_ends(self, n, credits, verb):
        """By chance alone a command hardly ever comes at that very instant."""
        holds = self.model.holds
        running = [k for k, hold in enumerate(holds) if hold.state == "OPEN"]
        ends = [grant.expires_at for grant in self.model.grants]
        ends += [holds[k].expires_at for k in running]
        ends += [self.model.plan_ends_at, self.model.spends_until]
        ahead = [instant for instant in ends if instant and instant > self.at]
        self.time_comes(min(ahead, default=None))
        if verb == "hold":
            self.hold(credits, hours=12)
        elif verb == "capture" and running:
            place = running[n % len(running)]
            self.capture(place, credits=credits, is_final=True, absorbs=True)
        else:
            self.spend(credits)

    @rule(
        n=index,
        credits=st.none() | some_credits,
        hours=st.sampled_from([12, 24 * 9]),
        between=st.lists(turns, max_size=2),
        used=st.none() | credits_,
    )
    def job(self, n, credits, hours, between, used):
        """By chance alone few holds are still open when their job ends.

        And hardly ever is all of a grant held: it is if no credits are named. If none
        are used, the job fails.
        """
        if not self.model.available:
            self.grant(60, 0, GrantSource.PROMO, timedelta(days=1))
        place = len(self.hold_ids)
        self.hold(self.nth_grant(n).free if credits is None else credits, hours=hours)
        if len(self.hold_ids) == place:
            return
        for turn in between:
            self.befalls_job(place, turn, n)
        if used is None:
            self.release(place, ours=True)
        else:
            self.capture(place, credits=used, is_final=True, absorbs=True)

    def befalls_job(self, place, turn, n):
        match turn:
            case "charged in part":
                self.capture(place, credits=1, is_final=False, absorbs=False)
            case "lives longer":
                self.extend(place, hours=48)
            case "times out":
                self.time_comes(self.model.holds[place].expires_at)
            case "another comes":
                self.spend(self.nth_grant(n).free + 1)
            case _:
                self.befalls_grant(n, turn)

    def befalls_grant(self, n, blow):
        match blow:
            case "is frozen":
                self.freeze(n, Freeze.DISPUTE)
            case "ends":
                self.time_comes(self.nth_grant(n).expires_at)
            case "ends with the plan":
                self.terms(plan=timedelta(0), spending=None)

    def nth_grant(self, n):
        return self.model.grants[n % len(self.grant_ids)]

    def time_comes(self, instant):
        if instant and instant > self.at:
            self.time_passes(instant - self.at)

    def hold_by(self, member, credits, ttl):
        key, at = self.key(), self.at
        held = self.both(
            lambda: self.model.hold(
                key=key, credits=credits, member=member, ttl=ttl, at=at
            ),
            lambda: ledger.hold(
                wallet_id=self.row.pk,
                credits=credits,
                rate_version=1,
                member_id=member,
                time_to_live=ttl,
                **self.common(key),
            ),
        )
        if held:
            self.hold_ids.append(held.hold_id)

    @precondition(lambda self: self.hold_ids)
    @rule(n=index, hours=st.sampled_from([12, 48]))
    def extend(self, n, hours):
        key, at, ttl = self.key(), self.at, timedelta(hours=hours)
        n %= len(self.hold_ids)
        self.both(
            lambda: self.model.extend(self.model.holds[n], key=key, ttl=ttl, at=at),
            lambda: ledger.extend_hold(
                hold_id=self.hold_ids[n], time_to_live=ttl, **self.common(key)
            ),
        )

    @precondition(lambda self: self.hold_ids)
    @rule(n=index, credits=credits_, is_final=st.booleans(), absorbs=st.booleans())
    def capture(self, n, credits, is_final, absorbs):
        key, at = self.key(), self.at
        n %= len(self.hold_ids)
        captured = self.both(
            lambda: self.model.capture(
                self.model.holds[n],
                key=key,
                credits=credits,
                is_final=is_final,
                absorbs=absorbs,
                at=at,
            ),
            lambda: ledger.capture(
                hold_id=self.hold_ids[n],
                lines=(ledger.UsedLine("look", credits or 1, 1, credits),),
                is_final=is_final,
                absorbs_excess=absorbs,
                **self.common(key),
            ),
        )
        if captured:
            self.spend_ids.append(captured.entry_id)

    @precondition(lambda self: self.hold_ids)
    @rule(n=index, ours=st.booleans())
    def release(self, n, ours):
        key, at = self.key(), self.at
        n %= len(self.hold_ids)
        self.both(
            lambda: self.model.release(
                self.model.holds[n], key=key, our_failure=ours, at=at
            ),
            lambda: ledger.release(
                hold_id=self.hold_ids[n], is_our_failure=ours, **self.common(key)
            ),
        )

    @precondition(lambda self: self.grant_ids)
    @rule(n=index, credits=st.none() | some_credits)
    def revoke(self, n, credits):
        key, at = self.key(), self.at
        n %= len(self.grant_ids)
        revoked = self.both(
            lambda: self.model.revoke(
                self.model.grants[n], key=key, credits=credits, at=at
            ),
            lambda: ledger.revoke(
                grant_id=self.grant_ids[n], credits=credits, **self.corrected(key)
            ),
        )
        if revoked and revoked.entry_id:
            self.revoke_ids.append(revoked.entry_id)

    @rule(n=st.none() | index, credits=some_credits)
    def remove(self, n, credits):
        key, at = self.key(), self.at
        named = n is not None and bool(self.grant_ids)
        place = n % len(self.grant_ids) if named else None
        removed = self.both(
            lambda: self.model.remove(
                self.model.grants[place] if named else None,
                key=key,
                credits=credits,
                at=at,
            ),
            lambda: ledger.remove(
                wallet_id=self.row.pk,
                grant_id=self.grant_ids[place] if named else None,
                credits=credits,
                **self.corrected(key),
            ),
        )
        if removed and removed.entry_id:
            self.revoke_ids.append(removed.entry_id)

    @precondition(lambda self: self.grant_ids)
    @rule(
        n=index,
        credits=st.none() | some_credits,
        between=st.lists(st.sampled_from(blows), max_size=2),
        times=st.sampled_from([1, 1, 2]),
    )
    def take_away_and_put_back(self, n, credits, between, times):
        """By chance alone little happens between the two."""
        place = len(self.revoke_ids)
        self.revoke(n, credits)
        if len(self.revoke_ids) == place:
            return
        for blow in between:
            self.befalls_grant(n, blow)
        for _ in range(times):
            self.reinstate(place)

    @precondition(lambda self: self.revoke_ids)
    @rule(n=index)
    def reinstate(self, n):
        key, at = self.key(), self.at
        n %= len(self.revoke_ids)
        self.both(
            lambda: self.model.reinstate(n, key=key, at=at),
            lambda: ledger.reinstate(
                entry_id=self.revoke_ids[n], **self.corrected(key)
            ),
        )

    @precondition(lambda self: self.grant_ids)
    @rule(n=index, why=reasons)
    def freeze(self, n, why):
        key, at = self.key(), self.at
        n %= len(self.grant_ids)
        self.both(
            lambda: self.model.freeze(self.model.grants[n], key=key, why=why, at=at),
            lambda: ledger.freeze(
                grant_id=self.grant_ids[n], freeze=why, **self.corrected(key)
            ),
        )

    @precondition(lambda self: self.grant_ids)
    @rule(n=index, why=reasons)
    def unfreeze(self, n, why):
        key, at = self.key(), self.at
        n %= len(self.grant_ids)
        self.both(
            lambda: self.model.unfreeze(self.model.grants[n], key=key, why=why, at=at),
            lambda: ledger.unfreeze(
                grant_id=self.grant_ids[n], freeze=why, **self.corrected(key)
            ),
        )

    @precondition(lambda self: self.spend_ids)
    @rule(n=index, credits=st.none() | some_credits)
    def reverse(self, n, credits):
        key, at = self.key(), self.at
        n %= len(self.spend_ids)
        self.both(
            lambda: self.model.reverse(n, key=key, credits=credits, at=at),
            lambda: ledger.reverse(
                entry_id=self.spend_ids[n], credits=credits, **self.corrected(key)
            ),
        )

    @precondition(lambda self: self.grant_ids)
    @rule(n=index, lifetime=st.sampled_from([timedelta(days=d) for d in (1, 3, 9)]))
    def move(self, n, lifetime):
        key, at, expires_at = self.key(), self.at, self.at + lifetime
        n %= len(self.grant_ids)
        moved = self.both(
            lambda: self.model.move(
                self.model.grants[n], key=key, expires_at=expires_at, at=at
            ),
            lambda: ledger.move(
                grant_id=self.grant_ids[n],
                expires_at=expires_at,
                **self.corrected(key),
            ),
        )
        if moved and moved.grant_id:
            self.grant_ids.append(moved.grant_id)

    @rule(plan=plan_ends, spending=plan_ends)
    def terms(self, plan, spending):
        """R15, R58, R62: billing says when the plan ends, and takes it back."""
        said = {
            "plan_ends_at": self.at + plan if plan is not None else None,
            "spends_until": self.at + spending if spending is not None else None,
        }
        self.both(
            lambda: self.model.set_terms(**said),
            lambda: ledger.set_terms(
                wallet_id=self.row.pk,
                spending_block=None,
                way_forward="",
                cycle_starts_at=self.model.cycle[0],
                cycle_ends_at=self.model.cycle[1],
                **said,
            ),
        )

    @rule(credits=some_credits, clears=st.booleans())
    def owe(self, credits, clears):
        key, at = self.key(), self.at
        verb = ledger.clear_debt if clears else ledger.record_debt
        wanted = self.model.clear if clears else self.model.owe
        self.both(
            lambda: wanted(key=key, credits=credits, at=at),
            lambda: verb(wallet_id=self.row.pk, credits=credits, **self.corrected(key)),
        )

    @precondition(lambda self: self.last)
    @rule()
    def say_it_again(self):
        """R109: the last command once more, with its key, changes nothing."""
        self.both(*self.last)


# 40 stories of up to 30 commands each.
stories = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.mark.django_db
def test_the_ledger_agrees_with_the_model():
    run_state_machine_as_test(LedgerMachine, settings=stories)
