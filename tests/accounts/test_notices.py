from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection

from accounts import inviting, notifying, sending, tasks
from accounts.models import Membership, Notice, Role
from tests.conftest import NOW
from tests.factories import make_account, make_member

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Refusing(EmailBackend):
    """A mail server that is down."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody listens")


class RefusingAddresses(EmailBackend):
    """A mail server to which nobody is known."""

    code = 550

    def send_messages(self, messages):
        said = dict.fromkeys(messages[0].to, (self.code, b"who?"))
        raise SMTPRecipientsRefused(said)


class RefusingForNow(RefusingAddresses):
    """A mail server that asks to come back later."""

    code = 450


@pytest.fixture
def notice(account, alice, bob):
    """One notice, to a member who joined."""
    member = Membership.objects.get(user=bob)
    notifying.notify(
        kind="member_joined",
        key="member_joined:1",
        recipients=["alice@example.com"],
        context={"member": member, "who": "bob@example.com"},
        account=account,
        at=NOW,
    )
    return Notice.objects.get()


@pytest.fixture
def invitation(account, alice):
    return inviting.invite(
        account=account,
        email="dora@example.com",
        role=Role.MEMBER,
        by=Membership.objects.get(user=alice),
        at=NOW,
    )


class TestNotify:
    def test_writes_subject_text_and_html(self, notice):
        assert notice.subject == "bob@example.com joined Northwind Studio"
        assert notice.text.startswith("bob@example.com accepted the")
        assert "http://127.0.0.1:8000/team/" in notice.text
        assert "<h1" in notice.html

    def test_tells_the_same_fact_to_the_same_address_once(self, notice, account, bob):
        member = Membership.objects.get(user=bob)

        notifying.notify(
            kind="member_joined",
            key="member_joined:1",
            recipients=["Alice@example.com", "adam@example.com"],
            context={"member": member, "who": "bob@example.com"},
            account=account,
            at=NOW,
        )

        recipients = Notice.objects.values_list("recipient", flat=True).order_by("pk")
        assert list(recipients) == ["alice@example.com", "adam@example.com"]

    def test_escapes_names_in_html_and_not_in_text(self, db):
        account = make_account("Fish & <b>Chips</b>")
        owner = make_member(account, Role.OWNER)

        notifying.notify(
            kind="member_joined",
            key="k",
            recipients=["alice@example.com"],
            context={"member": Membership.objects.get(user=owner), "who": "an owner"},
            account=account,
            at=NOW,
        )

        notice = Notice.objects.get()
        assert "Fish & <b>Chips</b>" in notice.text
        assert "Fish &amp; &lt;b&gt;Chips&lt;/b&gt;" in notice.html
        assert notice.subject.endswith("joined Fish & <b>Chips</b>")


class TestBillingRecipients:
    def test_are_owners_billing_members_and_the_billing_address_once_each(
        self, account, alice, adam, bill, bob
    ):
        account.billing_email = "Alice@Example.com"
        gone = make_member(account, Role.OWNER, "gone@example.com")
        gone.is_active = False
        gone.save()

        recipients = notifying.billing_recipients(account)

        assert [r.lower() for r in recipients] == [alice.email, bill.email]

    def test_include_a_billing_address_of_its_own(self, account, alice):
        account.billing_email = "invoices@example.com"

        assert notifying.billing_recipients(account) == [
            "alice@example.com",
            "invoices@example.com",
        ]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestSendNext:
    def test_sends_text_and_html(self, notice):
        assert sending.send_next(at=NOW)

        [message] = mail.outbox
        assert message.to == ["alice@example.com"]
        assert message.subject == notice.subject
        assert message.body == notice.text
        assert message.alternatives[0].mimetype == "text/html"

    def test_sends_a_notice_once(self, notice):
        assert sending.send_next(at=NOW)

        assert not sending.send_next(at=NOW + timedelta(days=1))
        assert len(mail.outbox) == 1

    def test_waits_longer_after_each_failure(self, notice, settings):
        settings.EMAIL_BACKEND = f"{__name__}.Refusing"

        waits, at = [], NOW
        for _attempt in range(11):
            assert sending.send_next(at=at)
            notice.refresh_from_db()
            waits.append(notice.next_attempt_at - at)
            at = notice.next_attempt_at

        hours = timedelta(hours=1)
        assert waits[:4] == [1 * MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
        assert waits[-2:] == [6 * hours, 6 * hours]
        assert notice.last_error == "ConnectionRefusedError: nobody listens"

    def test_sends_what_failed_when_the_server_is_back(self, notice, settings):
        backend = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = f"{__name__}.Refusing"
        sending.send_next(at=NOW)
        settings.EMAIL_BACKEND = backend

        assert not sending.send_next(at=NOW + MINUTE - timedelta(seconds=1))
        assert sending.send_next(at=NOW + MINUTE)
        assert len(mail.outbox) == 1

    def test_gives_up_what_is_refused_for_good_for_a_day(self, notice, settings):
        settings.EMAIL_BACKEND = f"{__name__}.RefusingAddresses"

        assert sending.send_next(at=NOW + DAY - MINUTE)
        notice.refresh_from_db()
        assert notice.given_up_at is None
        assert sending.send_next(at=NOW + DAY)

        notice.refresh_from_db()
        assert notice.given_up_at == NOW + DAY
        assert notice.last_error == "550 who?"
        assert not sending.send_next(at=NOW + 9 * DAY)

    @pytest.mark.parametrize("backend", ["Refusing", "RefusingForNow"])
    def test_never_gives_up_what_may_be_taken_later(self, notice, settings, backend):
        settings.EMAIL_BACKEND = f"{__name__}.{backend}"

        assert sending.send_next(at=NOW + 30 * DAY)

        notice.refresh_from_db()
        assert notice.given_up_at is None
        assert sending.send_next(at=NOW + 31 * DAY)

    def test_cannot_have_been_sent_and_given_up(self, notice):
        sending.send_next(at=NOW)

        with pytest.raises(IntegrityError, match="notice_sent_or_given_up"):
            Notice.objects.update(given_up_at=NOW)

    def test_takes_over_from_a_worker_that_died(self, notice):
        sending._claim(at=NOW)

        assert not sending.send_next(at=NOW + MINUTE)
        assert sending.send_next(at=NOW + 5 * MINUTE)

    def test_forgets_the_secret_of_an_invitation_once_it_is_sent(self, invitation):
        sending.send_next(at=NOW)

        [message] = mail.outbox
        link = next(word for word in message.body.split() if "/invitations/" in word)
        token = link.strip("/").rpartition("/")[2]
        assert inviting.find(token) == invitation
        sent = Notice.objects.get()
        assert token not in sent.text + sent.html
        assert "/invitations/…/" in sent.text

    def test_forgets_it_too_when_the_invitation_is_given_up(self, invitation, settings):
        settings.EMAIL_BACKEND = f"{__name__}.RefusingAddresses"
        [link] = re.findall(r"/invitations/[\w-]{22}", Notice.objects.get().text)

        sending.send_next(at=NOW + DAY)

        lost = Notice.objects.get()
        assert link not in lost.text + lost.html
        assert "/invitations/…/" in lost.text

    def test_sends_each_of_many_once_under_eight_workers(self, account, alice, bob):
        member = Membership.objects.get(user=bob)
        addresses = [f"reader{number}@example.com" for number in range(40)]
        notifying.notify(
            kind="member_joined",
            key="member_joined:1",
            recipients=addresses,
            context={"member": member, "who": "bob@example.com"},
            account=account,
            at=NOW,
        )

        with ThreadPoolExecutor(max_workers=8) as workers:
            list(workers.map(_send_all, range(8)))

        assert sorted(message.to[0] for message in mail.outbox) == sorted(addresses)
        assert not Notice.objects.filter(sent_at=None).exists()


def _send_all(_worker):
    try:
        while sending.send_next(at=NOW):
            pass
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestSendDueNoticesTask:
    def test_sends_everything_that_is_due(self, notice):
        tasks.send_due_notices(added_by_a_newer_release=True)

        assert len(mail.outbox) == 1
