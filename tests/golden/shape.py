"""What a vector may say: a typing error must not pass for an expectation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each place of a vector: the fields that it must have, and those that it may have.
TOP = ("rule title given commands expect", "")
GIVEN = (
    "clock grants",
    (
        "rate_plan rate_cards cycle plan settings free_videos packs reload "
        "staff batches periods instants"
    ),
)
PLAN = ("code", "paid_until interval trial_days")
GRANT = ("name source credits expires_at", "effective_at cost_basis_cents")
RATE_CARD = ("version starts_at rates", "")
_PARTS = "plan bills changes notices free_videos disputes warnings reloads refunds"
_STAFF = "adjustments batches queue"
_FINANCE = "moved closing accounts breakage"
_PAST = "periods instants"
EXPECT = (
    "balance grants entries",
    f"refusals replays quotes holds statement {_PARTS} {_STAFF} {_FINANCE} {_PAST}",
)
EXPECTED_PLAN = ("code standing", "interval paid_until cycle")
RELOADS = ("charged states skips", "declines")
BILL = ("status cents", "reason")
DISPUTE = ("status effect", "frozen removed owed owed_cents")
REFUND = ("state cents", "removed expired to_come owed owed_cents")
BALANCE = ("posted held frozen available", "debt")
EXPECTED_GRANT = ("name remaining", "held frozen expires_at cost_cents")
ENTRY = ("kind", "credits held frozen debt draws lines at")
DRAW = ("grant", "credits held frozen")
ADJUSTMENT = ("name state credits", "approvals said")
PERIOD = ("opening movements grants closing", "")
INSTANT = ("posted held frozen available debt", "")
BATCH = ("name state credits done", "approvals cents failures")
HOLD = ("hold state captured", "expires_at rate_version")
QUOTE = ("credits rate_version lines", "")
_LIMITS = "largest_charge_cents monthly_cap_cents monthly_cap_count"
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
    # Of rates that staff draft:
    "draft_rates": ("rates as", "starts_at"),
    "publish_draft": ("draft", ""),
    # Of a plan, at Stripe:
    "subscribe": ("code", "interval trial_days"),
    "take_off": ("percent", ""),
    "publish_price": ("code month_cents", ""),
    "migrate_prices": ("", ""),
    "change": ("code", "interval at_once"),
    "undo": ("", ""),
    "cancel": ("", ""),
    "cancel_now": ("", ""),
    "resume": ("", ""),
    "let_cards_fail": ("", ""),
    "pay_bill": ("", ""),
    "buy": ("blocks", "card"),
    # Of auto-reload:
    "agree": ("", f"by shown card threshold blocks {_LIMITS}"),
    "stop": ("", ""),
    "sweep": ("", ""),
    "refused_job": ("credits", "as key"),
    "outage": ("kind", ""),
    "miss_events": ("", ""),
    "bring_what_was_paid": ("", ""),
    "confirm": ("card", ""),
    "set_zone": ("zone", ""),
    # Of the work queue:
    "report": ("hold", "credits lines key"),
    "price": ("lines", ""),
    "pay_from_elsewhere": ("code", ""),
    "find_account": ("", ""),
    "look_at_queue": ("", ""),
    # Of a legacy plan:
    "import_plan": ("ends_at", ""),
    "import_end": ("ends_at", ""),
    "pay_checkout": ("", ""),
    # Of money that goes back:
    "refund": ("paid extent", "cents"),
    "sweep_refunds": ("", ""),
    "pay_debt": ("", ""),
    "end_plan_now": ("with_refund", ""),
    # Of the staff:
    "adjust": (
        "kind by as",
        "credits grant expires_at note reason comment regards",
    ),
    "reverse_adjustment": ("adjustment by as", ""),
    "approve": ("adjustment by", ""),
    "close_month": ("month", ""),
    "bulk": ("rows by as", ""),
    "undo_bulk": ("file by as", ""),
    "make_good": ("features starts_at ends_at by as", ""),
    "undo_make_good": ("make_good by as", ""),
    "approve_batch": ("batch by", ""),
    "work_off": ("", ""),
    # Of a bank, about a payment for "blocks" or for a "plan":
    "dispute": ("paid", "kind cents"),
    "decide": ("verb", ""),
    "warn": ("paid", ""),
    "keep": ("", ""),
    "refund_at_stripe": ("paid", "cents"),
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
        "disputes": DISPUTE,
        "refunds": REFUND,
        "adjustments": ADJUSTMENT,
        "periods": PERIOD,
        "instants": INSTANT,
        "batches": BATCH,
    }
    if "reloads" in expect:
        yield "reloads", expect["reloads"], RELOADS
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
