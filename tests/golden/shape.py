"""What a vector may say: a typing error must not pass for an expectation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each place of a vector: the fields that it must have, and those that it may have.
TOP = ("rule title given commands expect", "")
GIVEN = ("clock grants", "rate_plan rate_cards cycle plan free_videos")
PLAN = ("code", "interval")
GRANT = ("name source credits expires_at", "effective_at cost_basis_cents")
RATE_CARD = ("version starts_at rates", "")
EXPECT = (
    "balance grants entries",
    "refusals replays quotes holds statement plan bills changes notices free_videos",
)
EXPECTED_PLAN = ("code standing", "interval paid_until cycle")
BILL = ("status cents", "reason")
BALANCE = ("posted held frozen available", "debt")
EXPECTED_GRANT = ("name remaining", "held frozen expires_at")
ENTRY = ("kind", "credits held frozen debt draws lines at")
DRAW = ("grant", "credits held frozen")
HOLD = ("hold state captured", "expires_at rate_version")
QUOTE = ("credits rate_version lines", "")
COMMANDS = {
    "advance": ("to", "without_beat"),
    "grant": GRANT,
    "quote": ("lines", "as at"),
    "cap": ("credits", "member"),
    "spend": ("", "credits lines quote member as key"),
    "hold": ("", "credits quote member as key hours"),
    "extend": ("hold", "hours key"),
    "capture": ("hold", "credits lines final absorbs as key"),
    "release": ("hold our_failure", "key"),
    "reverse": ("entry", "credits key"),
    "revoke": ("grant", "credits key"),
    "freeze": ("grant freeze", "key"),
    "unfreeze": ("grant freeze", "key"),
    "move": ("grant expires_at as", "key"),
    "record_debt": ("credits", "key"),
    "clear_debt": ("credits", "key"),
    "claim_video": ("milliseconds", "reference key"),
    # Of a plan, at Stripe:
    "subscribe": ("code", "interval"),
    "change": ("code", "interval"),
    "undo": ("", ""),
    "cancel": ("", ""),
    "cancel_now": ("", ""),
    "resume": ("", ""),
    "let_cards_fail": ("", ""),
    "pay_bill": ("", ""),
    "buy": ("blocks", ""),
    "set_zone": ("zone", ""),
}
# The numbers of an error are its own business: whatever they are, they are compared.
REFUSAL = ("command error", "*")


def problems(vector: dict) -> list[str]:
    """Return what is missing from a vector, and what is unknown in it."""
    return [problem for place in _places(vector) for problem in _compare(*place)]


def _places(vector: dict) -> Iterator[tuple[str, dict, tuple[str, str]]]:
    given, expect = vector["given"], vector["expect"]
    yield "vector", vector, TOP
    yield "given", given, GIVEN
    yield "expect", expect, EXPECT
    yield "balance", expect["balance"], BALANCE
    if "plan" in given:
        yield "plan", given["plan"], PLAN
    for grant in given["grants"]:
        yield "given grant", grant, GRANT
    for card in given.get("rate_cards", []):
        yield "rate card", card, RATE_CARD
    for command in vector["commands"]:
        required, optional = COMMANDS[command["do"]]
        yield command["do"], command, (f"do {required}", optional)
    yield from _expected(expect)


def _expected(expect: dict) -> Iterator[tuple[str, dict, tuple[str, str]]]:
    shapes = {
        "grants": EXPECTED_GRANT,
        "entries": ENTRY,
        "refusals": REFUSAL,
        "quotes": QUOTE,
        "holds": HOLD,
        "bills": BILL,
    }
    if "plan" in expect:
        yield "expected plan", expect["plan"], EXPECTED_PLAN
    for part, shape in shapes.items():
        for item in expect.get(part, []):
            yield part, item, shape
    for entry in expect["entries"]:
        for draw in entry.get("draws", []):
            yield "draw", draw, DRAW


def _compare(place: str, found: dict, shape: tuple[str, str]) -> Iterator[str]:
    required, optional = (set(fields.split()) for fields in shape)
    for field in sorted(required - found.keys()):
        yield f"{place} lacks {field}"
    if "*" not in optional:
        for field in sorted(found.keys() - required - optional):
            yield f"{place} has an unknown {field}"
