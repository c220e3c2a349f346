"""The pages of adjustment files and of incidents that are made good."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import batches, bulk_adjusting, making_good
from billing.models import BatchState, BulkFile, MakeGood
from config.clock import now
from credits import rate_cards
from credits.models import Wallet
from tests.billing.batches import WHY, line, sheet, spend
from tests.factories import make_staff, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def maker():
    return make_staff(StaffGroup.ADMIN, email="maker@example.com")


@pytest.fixture
def wallet():
    return make_wallet(grants={"plan": (1_000, None)})


@pytest.fixture
def sent(client, maker):
    """Send the staff member's forms; return what the page then says."""
    client.force_login(maker)

    def send(name, *args, **fields):
        return client.post(reverse(f"billing:{name}", args=args), fields, follow=True)

    return send


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("credits.csv", content)


class TestFilePages:
    def test_check_and_make_a_file(self, sent, wallet):
        content = sheet(line(wallet.account, 50), line(wallet.account, -20))

        page = sent("staff_check_bulk", file=upload(content))
        file = BulkFile.objects.get()
        assert "Make 2 adjustments" in page.text
        assert "1,000 → 1,050" in page.text
        page = sent("staff_propose_bulk", file.public_id, comment=WHY)
        assert "0 of 2 are done" in page.text
        bulk_adjusting.carry_out(limit=10, at=now())

        assert Wallet.objects.get(pk=wallet.pk).available == 1_030
        page = sent("staff_undo_bulk", file.public_id, comment=WHY)
        assert "Undoing a file" in page.text

    def test_show_errors_and_offer_nothing(self, sent, wallet):
        page = sent(
            "staff_check_bulk", file=upload(sheet(line(wallet.account, -2_000)))
        )

        assert "Only 1,000 credits are available." in page.text
        assert "1 row has errors" in page.text
        assert "Make 1 adjustment" not in page.text

    def test_say_what_is_wrong_with_the_file(self, sent):
        page = sent("staff_check_bulk", file=upload(b"nonsense"))

        assert page.status_code == 422
        assert "The first row must name the columns" in page.text

    def test_need_somebody_else_above_the_limit(self, sent, client, wallet, maker):
        sent("staff_check_bulk", file=upload(sheet(line(wallet.account, 900))))
        file = BulkFile.objects.get()
        page = sent("staff_propose_bulk", file.public_id, comment=WHY)
        assert "somebody else has to approve it" in page.text
        assert "Approve</button>" not in page.text
        sent("staff_approve_bulk", file.public_id)
        file.refresh_from_db()
        assert file.state == BatchState.PROPOSED

        client.force_login(make_staff(StaffGroup.FINANCE))
        page = sent("staff_approve_bulk", file.public_id)

        assert "0 of 1 are done" in page.text
        actions = AuditEvent.objects.filter(target=file.public_id).order_by("pk")
        assert [one.action for one in actions] == [
            "bulk_file.proposed",
            "bulk_file.approved",
        ]

    def test_ask_for_their_own_successor_while_it_is_under_way(
        self, sent, client, wallet
    ):
        sent("staff_check_bulk", file=upload(sheet(line(wallet.account, 9))))
        file = BulkFile.objects.get()
        sent("staff_propose_bulk", file.public_id, comment=WHY)

        page = client.get(
            reverse("billing:staff_bulk_file", args=[file.public_id]),
            headers={"HX-Request": "true"},
        )

        assert page.text.lstrip().startswith("<section")
        assert 'hx-get="?polls=1"' in page.text

    def test_show_a_hundred_rows_at_a_time(self, sent, client, wallet):
        rows = [line(wallet.account, n) for n in range(1, 151)]
        sent("staff_check_bulk", file=upload(sheet(*rows)))
        address = reverse(
            "billing:staff_bulk_file", args=[BulkFile.objects.get().public_id]
        )

        first, second = client.get(address), client.get(address + "?from=100")

        assert "Rows 1 to 100 of 150" in first.text
        assert "Rows 101 to 150 of 150" in second.text

    def test_offer_a_template(self, client, maker):
        client.force_login(maker)

        response = client.get(reverse("billing:staff_bulk_template"))

        assert response.text.startswith("account,credits,last_day,reason,comment")


class TestMakeGoodPages:
    @pytest.fixture
    def about(self, wallet, offered_rates):
        at = now().replace(hour=12, minute=0, second=0, microsecond=0)
        spend(wallet, ("look", 600), key="a", at=at)
        return {
            "features": ["look"],
            "starts_at": f"{at:%Y-%m-%dT%H:%M}",
            "ends_at": f"{at.replace(hour=23, minute=59):%Y-%m-%dT%H:%M}",
            "unit": "CREDITS",
        }

    def test_find_show_and_propose(self, sent, client, about, wallet, maker):
        page = client.get(reverse("billing:staff_make_goods"), about)
        assert "600 credits to give back" in page.text
        assert "Ask for approval" in page.text

        page = sent(
            "staff_propose_make_good",
            **about,
            shown=page.context["found"].shown,
            form_key=page.context["form_key"],
            comment=WHY,
            customer_note="Looks failed.",
        )

        assert "You proposed this" in page.text
        client.force_login(make_staff(StaffGroup.FINANCE))
        [make_good] = MakeGood.objects.all()
        sent("staff_approve_make_good", make_good.public_id)
        making_good.give_back(limit=10, at=now())
        assert Wallet.objects.get(pk=wallet.pk).available == 1_000

    def test_show_again_what_has_changed(self, sent, client, about):
        page = sent(
            "staff_propose_make_good",
            **about,
            shown="something else",
            form_key="form",
            comment=WHY,
            customer_note="Looks failed.",
        )

        assert page.status_code == 409
        assert "Something has changed" in page.text
        assert not MakeGood.objects.exists()

    def test_withdraw_lets_it_go(self, sent, client, about):
        page = client.get(reverse("billing:staff_make_goods"), about)
        sent(
            "staff_propose_make_good",
            **about,
            shown=page.context["found"].shown,
            form_key="form",
            comment=WHY,
            customer_note="Looks failed.",
        )
        [make_good] = MakeGood.objects.all()

        page = sent("staff_withdraw_make_good", make_good.public_id)

        assert "Withdrawn" in page.text
        assert batches.make_goods_waiting(now()) == 0

    def test_say_what_is_wrong_with_the_span(self, sent, client, about):
        page = client.get(
            reverse("billing:staff_make_goods"),
            about | {"ends_at": about["starts_at"]},
        )

        assert page.status_code == 422
        assert "It ends before it begins: choose a later end." in page.text


@pytest.fixture
def offered_rates(db):
    for card in rate_cards.read():
        rate_cards.publish(card, at=now())
