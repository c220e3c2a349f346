"""Exports in a browser: asked for, waited for, fetched by nobody else."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import signing
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing.exporting import asking, running
from billing.models import Export, ExportFormat, ExportKind, ExportState
from billing.views import finance_exports
from tests.billing.exports import TODAY, ask, content_of, csv_rows, make
from tests.billing.pages.conftest import get
from tests.conftest import NOW
from tests.factories import make_account, make_staff, make_wallet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    monkeypatch.setattr(finance_exports, "now", lambda: NOW)


@pytest.fixture
def faye():
    return make_staff(StaffGroup.FINANCE)


@pytest.fixture
def finance(client, faye):
    client.force_login(faye)
    return client


def send(browser, **changes):
    form = {"kind": "LEDGER", "format": "CSV", "first": TODAY, "last": TODAY}
    return browser.post(reverse("billing:ask_export"), form | changes)


def file_of(browser, export: Export, link: str):
    address = reverse("billing:export_file", args=[export.public_id])
    return browser.get(address, {"link": link})


class TestAsking:
    def test_keeps_the_wish_and_shows_its_page(self, finance, faye):
        account = make_account()

        response = send(finance, kind="STATEMENT", account=account.public_id)

        export = Export.objects.get()
        assert response.status_code == 303
        assert response.url == reverse("billing:export", args=[export.public_id])
        assert (export.account, export.requested_by) == (account, faye)
        assert export.until - export.since == timedelta(days=1)
        assert AuditEvent.objects.get(action="export.asked").target == export.public_id

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            (
                {"first": "2026-03-11"},
                "It is before the first day",
            ),
            ({"kind": "STATEMENT"}, "A statement is of one account: say which."),
            ({"account": "acc_none"}, "There is no account with this id."),
        ],
    )
    def test_refuses_what_makes_no_sense(self, finance, changes, why):
        response = send(finance, **changes)

        assert response.status_code == 422
        assert why in response.content.decode()
        assert Export.objects.count() == 0

    def test_refuses_a_report_of_one_account(self, finance):
        account = make_account()

        response = send(finance, kind="JOURNAL", account=account.public_id)

        assert "This report is of all accounts: name none." in response.content.decode()

    def test_proposes_the_month_that_is_over(self, finance):
        page = get(finance, "exports")

        assert 'value="2026-02-01"' in page
        assert 'value="2026-02-28"' in page

    def test_needs_a_fresh_second_factor(self, finance, faye, settings):
        settings.STAFF_STEP_UP = True
        TOTP.activate(faye, generate_totp_secret())

        response = send(finance)

        assert response.status_code == 302
        assert "reauthenticate" in response.url
        assert Export.objects.count() == 0


class TestPage:
    def test_tells_how_far_it_is_and_asks_again(self, finance, faye):
        export = ask(by=faye)
        Export.objects.update(
            state=ExportState.RUNNING,
            attempts=1,
            lease_ends_at=NOW,
            rows_done=1_500,
            rows_total=2_000,
        )

        page = get(finance, "export_status", export.public_id)

        assert "1,500 of 2,000 rows, 75 %" in page
        assert "hx-get" in page
        assert "Cancel export" in page

    def test_shows_size_checksum_and_link_once_ready(self, finance, faye):
        made = make(ask(by=faye))

        page = get(finance, "export", made.public_id)

        assert made.sha256 in page
        assert "Download" in page
        assert "hx-get" not in page

    def test_of_somebody_else_does_not_exist(self, finance):
        made = make(ask(by=make_staff(StaffGroup.FINANCE)))

        for name in ("export", "export_status", "export_file"):
            address = reverse(f"billing:{name}", args=[made.public_id])
            assert finance.get(address).status_code == 404

    def test_cancels_what_is_not_made(self, finance, faye):
        export = ask(by=faye)

        finance.post(reverse("billing:cancel_export", args=[export.public_id]))

        assert Export.objects.get().state == ExportState.CANCELED

    def test_cancels_nothing_of_somebody_else(self, finance):
        export = ask(by=make_staff(StaffGroup.ADMIN))

        address = reverse("billing:cancel_export", args=[export.public_id])

        assert finance.post(address).status_code == 404
        assert Export.objects.get().state == ExportState.ASKED


class TestFile:
    def test_is_sent_whole_under_its_name(self, finance, faye):
        wallet = make_wallet(grants={"plan": (500, None)})
        made = make(ask(by=faye))

        response = file_of(finance, made, asking.link_of(made, reader=faye))

        content = response.getvalue()
        [row] = csv_rows(content)
        assert row["Account"] == wallet.account.public_id
        assert hashlib.sha256(content).hexdigest() == made.sha256
        assert response["Content-Disposition"] == (
            'attachment; filename="ledger-2026-03-10-2026-03-10.csv"'
        )
        assert response["Content-Length"] == str(made.size)
        fetched = AuditEvent.objects.get(action="export.fetched")
        assert (fetched.actor, fetched.target) == (faye.email, made.public_id)

    def test_is_not_sent_by_a_link_of_somebody_else(self, finance, faye):
        made = make(ask(by=faye))
        link = asking.link_of(made, reader=make_staff(StaffGroup.FINANCE))

        assert file_of(finance, made, link).status_code == 404

    def test_is_not_sent_to_somebody_else_with_the_link(self, client, faye):
        made = make(ask(by=faye))
        client.force_login(make_staff(StaffGroup.ADMIN))

        link = asking.link_of(made, reader=faye)

        assert file_of(client, made, link).status_code == 404

    def test_is_not_sent_by_the_link_of_another_file(self, finance, faye):
        made, other = make(ask(by=faye)), make(ask(by=faye))

        link = asking.link_of(other, reader=faye)

        assert file_of(finance, made, link).status_code == 404

    @pytest.mark.parametrize("link", ["", "none-such"])
    def test_is_not_sent_without_a_link(self, finance, faye, link):
        made = make(ask(by=faye))

        assert file_of(finance, made, link).status_code == 404

    def test_is_not_sent_by_a_link_of_an_hour_ago(self, finance, faye, monkeypatch):
        made = make(ask(by=faye))
        link = asking.link_of(made, reader=faye)
        real_time = signing.time.time
        late = asking.LINK_LASTS.total_seconds() + 1
        monkeypatch.setattr(signing.time, "time", lambda: real_time() + late)

        assert file_of(finance, made, link).status_code == 404

    def test_is_not_sent_after_a_week(self, finance, faye, monkeypatch):
        made = make(ask(by=faye))
        link = asking.link_of(made, reader=faye)
        monkeypatch.setattr(finance_exports, "now", lambda: NOW + running.KEPT)

        assert file_of(finance, made, link).status_code == 404

    def test_is_not_sent_to_who_lost_the_permission(self, finance, faye):
        made = make(ask(by=faye))
        link = asking.link_of(made, reader=faye)
        faye.groups.clear()

        assert file_of(finance, made, link).status_code == 403

    def test_needs_a_fresh_second_factor(self, finance, faye, settings):
        made = make(ask(by=faye))
        settings.STAFF_STEP_UP = True
        TOTP.activate(faye, generate_totp_secret())

        response = file_of(finance, made, asking.link_of(made, reader=faye))

        assert response.status_code == 302
        assert "reauthenticate" in response.url

    def test_as_a_spreadsheet_says_what_it_is(self, finance, faye):
        made = make(ask(ExportKind.AUDIT, ExportFormat.XLSX, by=faye))

        response = file_of(finance, made, asking.link_of(made, reader=faye))

        assert response["Content-Type"].endswith("spreadsheetml.sheet")
        assert response.getvalue() == content_of(made)
