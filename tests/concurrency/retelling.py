"""What was accepted in a race, said again to the reference model one by one."""

from __future__ import annotations

from collections import deque

from django.db import IntegrityError

from credits import ledger
from credits.models import CreditGrant, Hold, LedgerEntry, Wallet
from tests.concurrency.mixing import CYCLE, Pot
from tests.model import ledger as model


class Retelling:
    """Says again to the model what was accepted, in the order of the entries.

    What the ledger did by itself, as time went on, it did while it served a command:
    the model is told the time at which that was.
    """

    TARGETS = {
        **dict.fromkeys(["extend", "capture", "release"], "hold"),
        **dict.fromkeys(["revoke", "freeze", "unfreeze", "move"], "grant"),
        "reverse": "spend",
        "reinstate": "revoke",
    }

    def __init__(self, pot: Pot):
        self.said = pot.said
        self.wallet = model.Wallet(cycle=CYCLE)
        self.known = {}
        notes = deque(pot.notes)
        entries = LedgerEntry.objects.filter(wallet_id=pot.wallet_id).order_by("seq")
        for entry in entries.prefetch_related("draws"):
            while notes and notes[0][0] < entry.seq:
                self.tell_note(*notes.popleft())
            self.tell(entry)
        for note in notes:
            self.tell_note(*note)

    def of(self, kind: str) -> dict[int, object]:
        """Return the grants or holds of the model by the ids of their rows."""
        return {
            key: thing for (known, key), thing in self.known.items() if known == kind
        }

    def tell_note(self, seq: int, verb: str, options: dict) -> None:
        if verb == "cap":
            self.wallet.caps.pop(options["member"], None)
            if options["credits"] is not None:
                self.wallet.caps[options["member"]] = options["credits"]
        else:
            getattr(self.wallet, verb)(**options)

    def tell(self, entry: LedgerEntry) -> None:
        if entry.actor == "system":
            self.wallet.settle(entry.created_at)
            return
        if entry.idempotency_key.startswith("move:") and entry.kind == "GRANT":
            self.remember("grant", entry)  # the second entry of a move
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
                self.known["spend", entry.pk] = len(self.wallet.charges) - 1
            case "revoke":
                self.known["revoke", entry.pk] = len(self.wallet.revoked) - 1


def differences(pot: Pot, *, at) -> list[str]:
    """Return where the ledger, brought up to an instant, differs from the replay."""
    try:
        ledger.expire_wallet(wallet_id=pot.wallet_id, at=at)
        told = Retelling(pot)
    except (model.Refused, KeyError, ValueError, IntegrityError) as error:
        return [f"wallet {pot.wallet_id} cannot be replayed: {error!r}"]
    told.wallet.settle(at)
    return [
        f"{what} of wallet {pot.wallet_id} is {is_}, the model's {should}"
        for what, is_, should in compared(pot, told, at=at)
        if is_ != should
    ]


def compared(pot: Pot, told: Retelling, *, at):
    """Yield what is to be alike: what it is, and what it should be."""
    row, wallet = Wallet.objects.get(pk=pot.wallet_id), told.wallet
    yield (
        "the wallet",
        (row.balance, row.held, row.frozen, row.debt),
        (wallet.balance, wallet.held, wallet.frozen, wallet.debt),
    )
    usage = ledger.usage_of_caps(wallet_id=row.pk, member_ids=pot.members, at=at)
    yield (
        "what members used",
        [one.used for one in usage],
        [wallet.used(member, at) for member in pot.members],
    )
    grants = told.of("grant")
    for grant in CreditGrant.objects.filter(wallet=row):
        should = grants[grant.pk]
        yield (
            f"grant {grant.pk}",
            (grant.remaining, grant.held, grant.expires_at),
            (should.remaining, should.held, should.expires_at),
        )
    holds = told.of("hold")
    for hold in Hold.objects.filter(wallet=row):
        should = holds[hold.pk]
        yield (
            f"hold {hold.pk}",
            (hold.state, hold.captured, hold.expires_at),
            (should.state, should.captured, should.expires_at),
        )
