"""Replays a vector through the public functions and tells what came of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.db import transaction

from credits import ledger, quoting, rate_cards, statements
from credits.core.amounts import AmountOutOfBounds
from credits.core.rating import JobLine, MissingRate, QuantityOutOfBounds
from credits.models import (
    CreditGrant,
    Freeze,
    GrantSource,
    Hold,
    LedgerEntry,
    Wallet,
)
from tests.factories import make_user, make_wallet

FREE_VIDEO_MS = 60_000
REFUSALS = (ledger.CreditsError, AmountOutOfBounds, MissingRate, QuantityOutOfBounds)


class Replay:
    """One wallet, a clock, and names for what the commands made."""

    undoing_refusals = staticmethod(transaction.atomic)
    refusals_expected = REFUSALS

    def __init__(self, given: dict):
        self.at = datetime.fromisoformat(given["clock"])
        self.rate_plan = given.get("rate_plan", quoting.STANDARD)
        self.grants: dict[str, int] = {}
        self.holds: dict[str, int] = {}
        self.members: dict[str, int] = {}
        self.entries: dict[str, int] = {}
        self.quotes: dict[str, quoting.Quote] = {}
        self.quoted: list[dict] = []
        self.refusals: list[dict] = []
        self.replays: list[int] = []
        self._publish(given.get("rate_cards", []))
        self.wallet = self._open_wallet(given)
        for grant in given["grants"]:
            self._grant(grant, {"key": f"given-{grant['name']}", "at": self.at})
        self.given_entries = LedgerEntry.objects.filter(wallet=self.wallet).count()

    def run(self, commands: list[dict]) -> None:
        """Carry the commands out in their order, numbered from 1."""
        for number, command in enumerate(commands, start=1):
            if command["do"] == "advance":
                self._advance(datetime.fromisoformat(command["to"]), command)
            else:
                self._carry_out(number, command)

    def outcome(self) -> dict:
        """Return all that a vector may expect; reading posts what is due."""
        balance = statements.balance_of(self.wallet.pk, at=self.at)
        return {
            "balance": {
                figure: getattr(balance, figure)
                for figure in ("posted", "held", "frozen", "available", "debt")
            },
            "grants": [self._grant_facts(grant) for grant in balance.grants],
            "entries": self._entry_facts(),
            "refusals": self.refusals,
            "replays": self.replays,
            "quotes": self.quoted,
            "holds": [self._hold_facts(name) for name in self.holds],
            "statement": [
                [row.kind, row.credits, row.balance_after]
                for row in statements.statement_for(self.wallet.pk, at=self.at).rows
            ],
            "free_videos": self._free_videos(),
        }

    def _publish(self, changed: list[dict]) -> None:
        cards = rate_cards.read()
        for card in cards:
            rate_cards.publish(card, at=self.at)
        [standard] = [card for card in cards if card.rate_plan == quoting.STANDARD]
        for change in changed:
            rate_cards.publish(
                replace(
                    standard,
                    version=change["version"],
                    starts_at=datetime.fromisoformat(change["starts_at"]),
                    lines=tuple(
                        replace(line, credits=rate[0], per=rate[1])
                        if (rate := change["rates"].get(line.feature))
                        else line
                        for line in standard.lines
                    ),
                ),
                at=self.at,
            )

    def _open_wallet(self, given: dict) -> Wallet:
        wallet = make_wallet()
        starts_at, ends_at = map(_instant, given.get("cycle", (None, None)))
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=starts_at,
            cycle_ends_at=ends_at,
            free_videos=given.get("free_videos"),
            free_video_ms=FREE_VIDEO_MS if "free_videos" in given else None,
        )
        return wallet

    def _advance(self, to: datetime, _: dict) -> None:
        self.at = to

    def _carry_out(self, number: int, command: dict) -> None:
        verb = getattr(self, f"_{command['do']}")
        key = command.get("key", f"command-{number}")
        try:
            with self.undoing_refusals():
                result = verb(command, {"key": key, "at": self.at})
        except self.refusals_expected as error:
            numbers = dict(vars(error))
            for said_elsewhere in ("way_forward", "change"):
                numbers.pop(said_elsewhere, None)
            if why_not := numbers.pop("why_not", None):  # R107
                numbers |= asdict(why_not)
            refusal = {"command": number, "error": type(error).__name__}
            self.refusals.append(refusal | numbers)
            return
        if getattr(result, "is_replay", False):
            self.replays.append(number)

    def _grant(self, command: dict, call: dict) -> ledger.Granted:
        expires_at = command["expires_at"]
        effective_at = command.get("effective_at")
        granted = ledger.grant(
            wallet_id=self.wallet.pk,
            source=GrantSource(command["source"]),
            source_key=call["key"],
            credits=command["credits"],
            cost_basis_cents=command.get("cost_basis_cents", 0),
            effective_at=_instant(effective_at) or self.at,
            expires_at=_instant(expires_at),
            actor="vector",
            at=self.at,
        )
        self.grants[command["name"]] = granted.grant_id
        return granted

    def _cap(self, command: dict, call: dict) -> int | None:
        return ledger.set_cap(
            wallet_id=self.wallet.pk,
            member_id=self._member(command),
            credits=command["credits"],
            set_by_id=self._member({"member": "manager"}),
            at=self.at,
        )

    def _quote(self, command: dict, call: dict) -> None:
        quote = quoting.quote(
            lines=_job(command["lines"]),
            rate_plan=self.rate_plan,
            at=_instant(command.get("at")) or self.at,
        )
        self.quotes[command.get("as", call["key"])] = quote
        self.quoted.append(
            {
                "credits": quote.credits,
                "rate_version": quote.rate_version,
                "lines": [
                    [line.feature, line.quantity, line.credits] for line in quote.lines
                ],
            }
        )

    def _spend(self, command: dict, call: dict) -> ledger.Spent:
        lines = self._lines(command, version=None)
        member = self._member(command)
        job = ledger.Spend(
            self.wallet.pk, lines, call["key"], "vector", member_id=member
        )
        spent = ledger.spend(job, at=self.at)
        self.entries[command.get("as", call["key"])] = spent.entry_id
        return spent

    def _hold(self, command: dict, call: dict) -> ledger.Held:
        quote = self.quotes.get(command.get("quote", ""))
        held = ledger.hold(
            wallet_id=self.wallet.pk,
            credits=quote.credits if quote else command["credits"],
            rate_version=quote.rate_version if quote else 1,
            member_id=self._member(command),
            **_common(call),
            **_lifetime(command),
        )
        self.holds[command.get("as", call["key"])] = held.hold_id
        return held

    def _extend(self, command: dict, call: dict) -> ledger.Extended:
        return ledger.extend_hold(
            hold_id=self.holds[command["hold"]], **_common(call), **_lifetime(command)
        )

    def _capture(self, command: dict, call: dict) -> ledger.Captured:
        hold = Hold.objects.get(pk=self.holds[command["hold"]])
        captured = ledger.capture(
            hold_id=hold.pk,
            lines=self._lines(command, version=hold.rate_version),
            is_final=command.get("final", True),
            absorbs_excess=command.get("absorbs", False),
            **_common(call),
        )
        self.entries[command.get("as", call["key"])] = captured.entry_id
        return captured

    def _release(self, command: dict, call: dict) -> ledger.Released:
        return ledger.release(
            hold_id=self.holds[command["hold"]],
            is_our_failure=command["our_failure"],
            **_common(call),
        )

    def _reverse(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.reverse(
            entry_id=self.entries[command["entry"]],
            credits=command.get("credits"),
            **_corrected(call),
        )

    def _revoke(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.revoke(
            grant_id=self.grants[command["grant"]],
            credits=command.get("credits"),
            **_corrected(call),
        )

    def _freeze(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.freeze(**self._frozen(command), **_corrected(call))

    def _unfreeze(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.unfreeze(**self._frozen(command), **_corrected(call))

    def _move(self, command: dict, call: dict) -> ledger.Moved:
        moved = ledger.move(
            grant_id=self.grants[command["grant"]],
            expires_at=datetime.fromisoformat(command["expires_at"]),
            **_corrected(call),
        )
        self.grants[command["as"]] = moved.grant_id
        return moved

    def _record_debt(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.record_debt(
            wallet_id=self.wallet.pk, credits=command["credits"], **_corrected(call)
        )

    def _clear_debt(self, command: dict, call: dict) -> ledger.Corrected:
        return ledger.clear_debt(
            wallet_id=self.wallet.pk, credits=command["credits"], **_corrected(call)
        )

    def _claim_video(self, command: dict, call: dict) -> ledger.Claimed:
        return ledger.claim_free_video(
            wallet_id=self.wallet.pk,
            milliseconds=command["milliseconds"],
            reference=command.get("reference", ""),
            **_common(call),
        )

    def _member(self, command: dict) -> int | None:
        name = command.get("member")
        if name is None:
            return None
        if name not in self.members:
            self.members[name] = make_user(f"{name}@example.com").pk
        return self.members[name]

    def _frozen(self, command: dict) -> dict:
        return {
            "grant_id": self.grants[command["grant"]],
            "freeze": Freeze(command["freeze"]),
        }

    def _lines(self, command: dict, *, version: int | None) -> tuple:
        """The lines of a job: as quoted, priced now or at a version, or just looks."""
        if "quote" in command:
            return self.quotes[command["quote"]].lines
        if "credits" in command:
            credits = command["credits"]
            return (ledger.UsedLine("look", int(credits) or 1, 1, credits),)
        table = (
            quoting.rate_table(self.rate_plan, version)
            if version
            else quoting.rates_in_force(rate_plan=self.rate_plan, at=self.at)
        )
        return quoting.quote_at(lines=_job(command["lines"]), table=table).lines

    def _free_videos(self) -> dict | None:
        videos = ledger.free_videos(wallet_id=self.wallet.pk, at=self.at)
        return videos and _amounts(videos, "used", "quota", "starts_again_at")

    def _grant_facts(self, grant: statements.GrantView) -> dict:
        return {
            "name": self._name(grant.id),
            "remaining": grant.remaining,
            "held": grant.held,
            "frozen": grant.is_frozen,
            "expires_at": grant.expires_at,
            "cost_cents": CreditGrant.objects.get(pk=grant.id).cost_basis_cents,
        }

    def _hold_facts(self, name: str) -> dict:
        hold = Hold.objects.get(pk=self.holds[name])
        return {
            "hold": name,
            "state": hold.state,
            "captured": hold.captured,
            "expires_at": hold.expires_at,
            "rate_version": hold.rate_version,
        }

    def _entry_facts(self) -> list[dict]:
        entries = LedgerEntry.objects.filter(wallet=self.wallet).order_by("seq")
        return [
            {
                "kind": entry.kind,
                **_amounts(entry, "credits", "held", "frozen", "debt"),
                "draws": [
                    {
                        "grant": self._name(draw.grant_id),
                        **_amounts(draw, "credits", "held", "frozen"),
                    }
                    for draw in entry.draws.order_by("position")
                ],
                "lines": [
                    [line.feature, line.quantity, line.credits]
                    for line in entry.lines.order_by("position")
                ],
                "at": entry.occurred_at,
            }
            for entry in entries[self.given_entries :]
        ]

    def _name(self, grant_id: int) -> str:
        return next(name for name, known in self.grants.items() if known == grant_id)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _job(lines: list[list]) -> list[JobLine]:
    return [JobLine(feature, quantity) for feature, quantity in lines]


def _common(call: dict) -> dict:
    return {"idempotency_key": call["key"], "actor": "vector", "at": call["at"]}


def _corrected(call: dict) -> dict:
    return {**_common(call), "reason": "as the vector says"}


def _lifetime(command: dict) -> dict:
    hours = command.get("hours")
    return {"time_to_live": timedelta(hours=hours)} if hours else {}


def _amounts(row: object, *names: str) -> dict:
    return {name: getattr(row, name) for name in names}
