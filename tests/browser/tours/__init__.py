"""Which pages there are, for whom, and in which states they can be seen."""

from __future__ import annotations

from tests.browser.tours.adjusting import ADJUSTMENTS, BULK_FILES, MADE_GOOD
from tests.browser.tours.api import API_REFERENCE
from tests.browser.tours.customers import BUYER, MEMBER, OLD_HAND, OWNER, WITHOUT_BLOCKS
from tests.browser.tours.finance import CATALOGUE, EXPORTS, FINANCE
from tests.browser.tours.plans import (
    CHANGER,
    DOUBTED,
    LEGACY,
    OWING,
    PLAN_IN_MOTION,
    RELOAD_OFF,
    RELOAD_ON,
    RELOAD_TO_CONFIRM,
)
from tests.browser.tours.staff import (
    CONSOLE,
    DISPUTES,
    INBOX,
    QUEUE,
    RECONCILIATION,
    REFUNDS,
    STAFF,
    WEBHOOKS,
)
from tests.browser.tours.unseen import NOT_OURS, NOT_SEEN
from tests.browser.tours.visitors import GUARDED, MIDWAY, NEWCOMER, VISITOR

__all__ = ["API_REFERENCE", "NOT_OURS", "NOT_SEEN", "TOURS"]

TOURS = (
    *(VISITOR, MIDWAY, GUARDED, NEWCOMER),
    *(BUYER, OWNER, MEMBER, OLD_HAND, WITHOUT_BLOCKS),
    *(CHANGER, LEGACY, PLAN_IN_MOTION, DOUBTED, OWING),
    *(RELOAD_OFF, RELOAD_ON, RELOAD_TO_CONFIRM),
    *(CONSOLE, QUEUE, INBOX, WEBHOOKS, STAFF),
    *(REFUNDS, DISPUTES, RECONCILIATION),
    *(ADJUSTMENTS, BULK_FILES, MADE_GOOD),
    *(CATALOGUE, EXPORTS, FINANCE),
)
