"""What was agreed to, and that two who change it do not collide (R56, R57)."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, Notice, Role
from billing.core.reload_policy import Block
from billing.models import AutoReload, Consent, Reload, ReloadState
from billing.reloads import rehearsing
from billing.reloads import settings as reload_settings
from billing.reloads.rehearsing import Movement
from tests.billing.reloads import (
    FAILING_CARD,
    HOUR,
    OTHER_CARD,
    agree,
    limits,
    reload,
    save_card,
    use,
)
from tests.conftest import NOW
from tests.factories import make_member

pytestmark = pytest.mark.django_db
BLOCK = Block(credits=100, cents=500, most=200)


@pytest.fixture
def card(wire, business):
    return save_card(wire, business)


class TestVersion:
    def wanted(self, card, version: int) -> reload_settings.Wanted:
        return reload_settings.Wanted(
            limits=limits(),
            card=card,
            version=version,
            text="I agree.",
            text_version="reload-1",
            address=None,
        )

    def test_of_another_form_is_refused(self, business, alice, card):
        agree(business, alice, card)
        other = make_member(business, Role.ADMIN)

        with pytest.raises(reload_settings.SettingsMoved):
            reload_settings.save(
                self.wanted(card, 0), account=business, by=other, at=NOW
            )

        assert Consent.objects.count() == 1

    def test_of_a_double_click_is_one(self, business, alice, card):
        first = agree(business, alice, card)

        again = reload_settings.save(
            self.wanted(card, 0), account=business, by=alice, at=NOW
        )

        assert again.version == first.version == 1
        assert Consent.objects.count() == 1

    def test_rises_with_each_change(self, business, alice, card):
        agree(business, alice, card)
        agree(business, alice, card, threshold=700)
        reload_settings.turn_off(business, by=alice, at=NOW)

        assert AutoReload.objects.get().version == 3

    def test_of_each_change_is_audited_and_told_to_owners_only(
        self, business, alice, card
    ):
        make_member(business, Role.BILLING)
        agree(business, alice, card)
        agree(business, alice, card, threshold=700)

        latest = AuditEvent.objects.filter(action="auto_reload.changed").latest("pk")
        assert (latest.before["threshold"], latest.after["threshold"]) == (500, 700)
        told = Notice.objects.filter(kind="reload_changed")
        assert list(told.values_list("recipient", flat=True)) == [alice.email] * 2


class TestDatabase:
    @pytest.mark.parametrize(
        "nonsense",
        [
            {"threshold": 0},
            {"blocks": 0},
            {"monthly_cap_count": 0},
            {"monthly_cap_cents": 4_999},
            {"suspended_at": NOW},
        ],
    )
    def test_refuses_what_limits_nothing(self, business, alice, card, nonsense):
        agree(business, alice, card)

        with pytest.raises(IntegrityError), transaction.atomic():
            AutoReload.objects.update(**nonsense)


class TestNewCard:
    def test_takes_the_place_of_one_that_waits_for_its_retry(
        self, wire, business, alice
    ):
        agree(business, alice, save_card(wire, business, FAILING_CARD))
        use(business, 1_100)
        waiting = reload(business)
        assert waiting.state == ReloadState.WAITING

        agree(business, alice, save_card(wire, business, OTHER_CARD), at=NOW + HOUR)
        reload(business, at=NOW + HOUR)

        waiting.refresh_from_db()
        assert (waiting.state, waiting.canceled_because) == ("CANCELED", "NEW_CARD")
        assert Reload.objects.latest("pk").state == ReloadState.PAID


class TestRehearsal:
    def replay(self, *moved: tuple[int, int], **changes):
        """Begin with 600 credits; each movement is (hours, credits)."""
        movements = [
            Movement(NOW + hours * HOUR, credits, is_draw=credits < 0)
            for hours, credits in moved
        ]
        return rehearsing.replay(
            movements, 600, limits=limits(**changes), block=BLOCK, anchor_at=NOW
        )

    def test_charges_where_the_policy_would(self):
        charges, _ = self.replay((1, -50), (2, -60), (3, -50), (4, -300))

        assert [(charge.available, charge.cents) for charge in charges] == [
            (490, 1_500),
            (440, 1_500),
        ]

    def test_keeps_the_caps_of_each_month(self):
        moved = [(day * 24, -300) for day in range(1, 60)]

        charges, held_back = self.replay(*moved, monthly_cap_count=2)

        assert len(charges) == 4
        assert held_back > 0

    def test_of_the_accounts_own_days_leaves_real_reloads_out(
        self, business, alice, card
    ):
        agree(business, alice, card)
        use(business, 1_100)
        reload(business)
        use(business, 250)
        wallet = business.wallets.get()

        found = rehearsing.rehearse(
            wallet, limits=limits(), block=BLOCK, anchor_at=NOW, at=NOW + HOUR
        )

        assert [charge.available for charge in found.charges] == [400]
        assert found.cents == 1_500
