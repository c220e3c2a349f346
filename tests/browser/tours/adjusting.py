"""Pages of adjustments, files of them, and incidents made good."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from config.clock import now
from tests.browser.tours.stops import Stop, send, sent


def find_looks(page):
    page.get_by_label("Look", exact=True).check()
    page.get_by_label("From (UTC)").fill(f"{now() - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.get_by_label("Until (UTC)").fill(
        f"{now() + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    )
    page.get_by_role("button", name="Find what it cost").click()
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()


def propose_without_a_word(page):
    find_looks(page)
    send("form[action$='/make-good/propose/']", page)


BULK_FILE = "billing:staff_bulk_file"
BULK_FILES = (
    Stop("billing:staff_bulk_files"),
    Stop(
        "billing:staff_bulk_files",
        then=sent("form[action$='/check/']"),
        leads_to="billing:staff_check_bulk",
    ),
    Stop(BULK_FILE, "broken"),
    Stop(BULK_FILE, "checked"),
    Stop(BULK_FILE, "checked", query="?from=100"),
    Stop(
        BULK_FILE,
        "checked",
        then=sent("form[action$='/propose/']"),
        leads_to="billing:staff_propose_bulk",
    ),
    Stop(BULK_FILE, "waiting"),
    Stop(
        BULK_FILE,
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_bulk",
    ),
    Stop(BULK_FILE, "done"),
    Stop(
        BULK_FILE,
        "done",
        then=sent("form[action$='/undo/']"),
        leads_to="billing:staff_undo_bulk",
    ),
    Stop(BULK_FILE, "undone"),
    Stop(BULK_FILE, "undo"),
    Stop(BULK_FILE, "under way"),
    Stop(BULK_FILE, "rejected"),
)
MAKE_GOOD, MAKE_GOODS = "billing:staff_make_good", "billing:staff_make_goods"
MADE_GOOD = (
    Stop(MAKE_GOODS),
    Stop(MAKE_GOODS, query="?starts_at=x", status=422),
    Stop(MAKE_GOODS, then=find_looks),
    Stop(
        MAKE_GOODS,
        then=propose_without_a_word,
        leads_to="billing:staff_propose_make_good",
    ),
    Stop(MAKE_GOOD, "done"),
    Stop(MAKE_GOOD, "waiting"),
    Stop(
        MAKE_GOOD,
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_make_good",
    ),
    Stop(
        MAKE_GOOD,
        "done",
        then=sent("form[action$='/undo/']"),
        leads_to="billing:staff_undo_make_good",
    ),
    Stop(MAKE_GOOD, "undone"),
    Stop(MAKE_GOOD, "undo"),
)
_NEW = "?kind=ADD&credits=200&expires_on=2036-01-01&customer_note=Sorry"
ADJUSTMENTS = (
    Stop("billing:staff_adjustments"),
    Stop("billing:staff_adjustments", query="?state=WITHDRAWN&kind=ADD"),
    Stop("billing:staff_adjust", "account"),
    Stop("billing:staff_preview_adjust", "account", query=_NEW),
    Stop(
        "billing:staff_preview_adjust",
        "account",
        query="?kind=REMOVE&credits=99999999",
        status=422,
    ),
    Stop(
        "billing:staff_preview_adjust",
        "account",
        query=_NEW,
        then=sent("form[action$='/now/']", comment="Because"),
        leads_to="billing:staff_make_adjustment",
    ),
    Stop("billing:staff_adjustment", "waiting"),
    Stop("billing:staff_adjustment", "own"),
    Stop("billing:staff_adjustment", "made"),
    Stop("billing:staff_adjustment", "removed"),
    Stop("billing:staff_adjustment", "put back"),
    Stop("billing:staff_adjustment", "rejected"),
    Stop(
        "billing:staff_adjustment",
        "waiting",
        then=sent("form[action$='/reject/']"),
        leads_to="billing:staff_reject_adjustment",
    ),
    Stop("billing:staff_preview_reversal", "made"),
    Stop(
        "billing:staff_preview_reversal",
        "made",
        then=sent("form[action$='/now/']", comment="Because"),
        leads_to="billing:staff_reverse_adjustment",
    ),
)
