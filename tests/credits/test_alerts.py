"""What an account is warned of, who is told, and who wants no more of it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, Role
from credits import alerts
from credits.alerts import Recipient
from credits.models import AlertSettings, ExpiryWatch, Unsubscription
from tests.conftest import NOW
from tests.factories import make_account, make_member, make_wallet


@pytest.fixture
def wallet(db):
    return make_wallet(make_account(billing_email="bills@example.com"))


@pytest.fixture
def alice(wallet):
    return make_member(wallet.account, Role.OWNER, "alice@example.com")


def change(wallet, by, thresholds=(), expiry_days=(), emails=()):
    alerts.change(
        wallet=wallet,
        thresholds=thresholds,
        expiry_days=expiry_days,
        emails=emails,
        by=by,
        at=NOW,
    )


def emails_of(wallet):
    return [told.email for told in alerts.recipients_of(alerts.settings_of(wallet))]


class TestSettings:
    def test_are_every_expiry_and_no_threshold_before_they_are_changed(self, wallet):
        settings = alerts.settings_of(wallet)

        assert (settings.thresholds, settings.emails) == ([], [])
        assert settings.expiry_days == [30, 7, 1]
        assert not AlertSettings.objects.exists()

    def test_are_kept_from_most_to_least_and_once_each(self, wallet, alice):
        change(wallet, alice, [50, 500, 50], [1, 30], ["a@example.com"] * 2)

        settings = alerts.settings_of(wallet)
        assert settings.thresholds == [500, 50]
        assert settings.expiry_days == [30, 1]
        assert settings.emails == ["a@example.com"]

    def test_are_audited_with_what_changed(self, wallet, alice):
        change(wallet, alice, [500], [30, 7, 1])

        event = AuditEvent.objects.get()
        assert (event.action, event.actor) == ("alerts.changed", "alice@example.com")
        assert (event.before, event.after) == (
            {"thresholds": []},
            {"thresholds": [500]},
        )

    def test_are_not_audited_when_nothing_changes(self, wallet, alice):
        change(wallet, alice, expiry_days=[30, 7, 1])

        assert not AuditEvent.objects.exists()

    @pytest.mark.parametrize(
        ("wrong", "constraint"),
        [
            ({"thresholds": [0]}, "alert_thresholds_few_and_positive"),
            ({"thresholds": range(1, 12)}, "alert_thresholds_few_and_positive"),
            ({"expiry_days": [2]}, "alert_expiry_days_known"),
            ({"emails": [f"{n}@example.com" for n in range(11)]}, "alert_emails_few"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, wallet, alice, wrong, constraint):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            change(wallet, alice, **wrong)

    def test_of_other_days_are_not_watched(self, db):
        with pytest.raises(IntegrityError, match="expiry_watch_days_known"):
            ExpiryWatch.objects.create(days=2, told_until=NOW)


class TestRecipients:
    def test_are_who_hears_about_money_and_who_was_added(self, wallet, alice):
        make_member(wallet.account, Role.BILLING, "bill@example.com")
        make_member(wallet.account, Role.MEMBER, "bob@example.com")
        change(wallet, alice, emails=["ops@example.com", "Bill@example.com"])

        assert [email.lower() for email in emails_of(wallet)] == [
            "alice@example.com",
            "bill@example.com",
            "bills@example.com",
            "ops@example.com",
        ]

    def test_who_unsubscribed_are_shown_as_such(self, wallet, alice):
        alerts.unsubscribe(wallet=wallet, email="alice@example.com", at=NOW)

        assert alerts.recipients_of(alerts.settings_of(wallet)) == (
            Recipient("alice@example.com", is_subscribed=False),
            Recipient("bills@example.com", is_subscribed=True),
        )


class TestUnsubscribing:
    def test_outlasts_being_removed_and_added(self, wallet, alice):
        change(wallet, alice, emails=["ops@example.com"])
        alerts.unsubscribe(wallet=wallet, email="ops@example.com", at=NOW)

        change(wallet, alice)
        change(wallet, alice, emails=["OPS@example.com"])

        *_, ops = alerts.recipients_of(alerts.settings_of(wallet))
        assert ops == Recipient("OPS@example.com", is_subscribed=False)

    def test_twice_is_once(self, wallet):
        alerts.unsubscribe(wallet=wallet, email="ops@example.com", at=NOW)
        alerts.unsubscribe(wallet=wallet, email="ops@example.com", at=NOW)

        assert Unsubscription.objects.count() == 1
        assert [event.action for event in AuditEvent.objects.all()] == [
            "alerts.unsubscribed"
        ]

    def test_is_of_one_account(self, wallet):
        other = make_wallet(make_account("Contoso"))

        alerts.unsubscribe(wallet=wallet, email="ops@example.com", at=NOW)

        assert not alerts.is_unsubscribed(other, "ops@example.com")

    def test_is_undone_by_the_address_itself(self, wallet):
        alerts.unsubscribe(wallet=wallet, email="ops@example.com", at=NOW)

        alerts.subscribe_again(wallet=wallet, email="ops@example.com", at=NOW)

        assert not alerts.is_unsubscribed(wallet, "ops@example.com")
        assert AuditEvent.objects.latest("pk").action == "alerts.subscribed_again"

    def test_is_recorded_once_in_the_database_whatever_the_case(self, wallet):
        Unsubscription.objects.create(wallet=wallet, email="a@example.com", since=NOW)

        with pytest.raises(IntegrityError, match="unsubscribed_once"):
            Unsubscription.objects.create(
                wallet=wallet, email="A@example.com", since=NOW
            )


class TestToken:
    def test_tells_whose_alerts_went_where(self, wallet):
        token = alerts.unsubscribe_token(wallet.pk, "Ops@example.com")

        assert alerts.read_token(token) == (wallet, "ops@example.com")

    @pytest.mark.parametrize(
        "change", [str.upper, lambda token: token[1:], lambda _: ""]
    )
    def test_that_was_changed_is_none(self, wallet, change):
        token = alerts.unsubscribe_token(wallet.pk, "ops@example.com")

        with pytest.raises(alerts.LinkNotFound):
            alerts.read_token(change(token))
