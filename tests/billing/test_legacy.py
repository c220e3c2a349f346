"""Legacy plans: brought in, kept apart, and never entered again (R34, R35)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from accounts.models import Notice, Role
from billing.models import Interval, PlanChange, PlanVersion, Subscription
from billing.plans import catalogue, renewing, subscribing
from billing.subscriptions import legacy
from credits import audits, ledger, statements
from credits.models import GrantSource, SpendingBlock, Wallet, WalletUnit
from tests.billing.conftest import on_plan
from tests.billing.legacies import (
    CODE,
    DAY,
    ENDS,
    bring_in,
    end_row,
    pack_row,
    plan_row,
    premium_of,
)
from tests.conftest import NOW
from tests.factories import make_account, make_member

pytestmark = pytest.mark.usefixtures("unlimited")


@pytest.fixture
def unlimited(offered) -> PlanVersion:
    """The legacy plan of the catalogue."""
    return catalogue.plan_in_force(CODE, at=NOW)


@pytest.fixture
def account(db):
    return make_account()


def grant(account, source: GrantSource) -> None:
    ledger.grant(
        wallet_id=ledger.open_wallet(account_id=account.pk, at=NOW),
        source=source,
        source_key="test:1",
        credits=1,
        cost_basis_cents=0,
        effective_at=NOW,
        expires_at=None,
        actor="test",
        at=NOW,
    )


class TestBringIn:
    def test_keeps_plan_and_packs(self, account):
        imported = bring_in(plan_row(account), pack_row(account))

        live = subscribing.live_subscription(account.pk)
        balance = statements.balance_of(premium_of(account).pk, at=NOW)
        assert imported == legacy.Imported(changed=2, errors=())
        assert (live.plan_version.plan.code, live.paid_until) == (
            "legacy-unlimited",
            ENDS,
        )
        assert (balance.available, balance.next_expiry_at) == (300, NOW + 90 * DAY)
        assert audits.verify() == []

    def test_keeps_premium_credits_apart_from_credits(self, account):
        bring_in(plan_row(account), pack_row(account))

        credits = Wallet.objects.get(account=account, unit=WalletUnit.CREDITS)
        assert (credits.balance, premium_of(account).rate_plan) == (0, "legacy")

    def test_does_nothing_the_second_time(self, account):
        rows = plan_row(account), pack_row(account)
        bring_in(*rows)

        assert bring_in(*rows, at=NOW + DAY).changed == 0

        assert premium_of(account).balance == 300

    def test_lets_a_plan_be_paid_for_longer(self, account):
        bring_in(plan_row(account))

        bring_in(plan_row(account, ends_at=(ENDS + 30 * DAY).isoformat()))

        assert Subscription.objects.get().paid_until == ENDS + 30 * DAY

    def test_changes_nothing_when_only_trying(self, account):
        imported = bring_in(plan_row(account), pack_row(account), dry_run=True)

        assert imported.changed == 2
        assert not Subscription.objects.exists()
        assert not Wallet.objects.filter(unit=WalletUnit.PREMIUM).exists()

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"account": "acc_0"}, "There is no account acc_0."),
            ({"plan": "legacy-0"}, "No version of the plan “legacy-0” is in force."),
            ({"plan": "creator"}, "Creator is no legacy plan."),
            ({"kind": "gift"}, "“gift” is neither plan nor pack nor end."),
            (
                {"ends_at": "2026-04-01T00:00"},
                "2026-04-01T00:00 names no time zone; for UTC write 2026-04-01T00:00Z.",
            ),
        ],
    )
    def test_refuses_all_rows_for_one(self, account, changed, said):
        imported = bring_in(pack_row(account), plan_row(account, **changed))

        assert imported.errors == (f"Line 3: {said}",)
        assert not Wallet.objects.filter(unit=WalletUnit.PREMIUM).exists()

    def test_refuses_another_pack_of_the_same_name(self, account):
        bring_in(pack_row(account))

        imported = bring_in(pack_row(account, credits="301"))

        assert len(imported.errors) == 1

    def test_refuses_who_is_on_another_plan(self):
        imported = bring_in(plan_row(on_plan("creator")))

        assert imported.errors == ("Line 2: The account is on Creator.",)


class TestGoodStanding:
    def test_is_kept_within_grace_and_lost_with_the_plan(self, account):
        bring_in(plan_row(account), pack_row(account))
        wallet = premium_of(account)

        blocks = [wallet.block_at(ENDS + 6 * DAY), wallet.block_at(ENDS + 7 * DAY)]

        assert blocks == [None, SpendingBlock.PAYMENT_OVERDUE]

    def test_once_lost_never_comes_back(self, account):
        bring_in(plan_row(account), pack_row(account))
        Subscription.objects.update(status="CANCELED", ended_at=NOW)
        subscribing.push_terms(account.pk, at=NOW)

        imported = bring_in(plan_row(account))

        assert premium_of(account).spending_block == SpendingBlock.NO_PAID_PLAN
        assert imported.errors == (
            "Line 2: The account has had a plan here: nobody returns to legacy.",
        )


class TestEnd:
    def test_of_a_plan_that_is_not_paid_any_more_loses_it(self, account):
        bring_in(plan_row(account), pack_row(account))

        imported = bring_in(end_row(account))

        assert imported == legacy.Imported(changed=1, errors=())
        assert subscribing.live_subscription(account.pk) is None
        assert premium_of(account).spending_block == SpendingBlock.NO_PAID_PLAN

    def test_is_brought_in_once(self, account):
        bring_in(plan_row(account), end_row(account))

        assert bring_in(end_row(account), at=NOW + DAY).changed == 0

    def test_is_told_to_who_is_billed(self, account):
        make_member(account, Role.OWNER, "alice@example.com")

        bring_in(plan_row(account), end_row(account))

        assert Notice.objects.filter(kind="plan_ended").count() == 1

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"ends_at": (NOW + DAY).isoformat()}, "This end lies in the future."),
            ({"plan": "creator"}, "The account was never on this plan."),
        ],
    )
    def test_is_refused_where_it_cannot_be(self, account, changed, said):
        imported = bring_in(plan_row(account), end_row(account, **changed))

        assert imported.errors == (f"Line 3: {said}",)

    def test_ends_no_other_plan(self):
        imported = bring_in(end_row(on_plan("creator"), plan="creator"))

        assert imported.errors == ("Line 2: Creator is no legacy plan.",)


class TestDatabase:
    def test_refuses_a_legacy_plan_that_was_not_brought_in(self, account):
        with pytest.raises(IntegrityError, match="legacy_never_entered"):
            renewing.begin(
                account_id=account.pk,
                plan_code="legacy-unlimited",
                interval=Interval.MONTH,
                anchor_at=NOW,
                at=NOW,
            )

    def test_refuses_a_change_to_legacy(self, unlimited):
        on_plan("creator")

        with pytest.raises(IntegrityError, match="legacy_never_entered"):
            Subscription.objects.update(plan_version=unlimited)

    def test_refuses_the_import_too_after_another_plan(self, unlimited):
        account = on_plan("creator")
        Subscription.objects.update(status="CANCELED", ended_at=NOW)

        legacy._let_legacy_in(is_allowed=True)
        with pytest.raises(IntegrityError, match="legacy_never_entered"):
            Subscription.objects.create(
                account=account,
                plan_version=unlimited,
                interval="MONTH",
                status="ACTIVE",
                anchor_at=NOW,
            )

    def test_refuses_a_legacy_plan_that_has_ended(self, account):
        bring_in(plan_row(account), end_row(account))

        with pytest.raises(IntegrityError, match="legacy_never_entered"):
            Subscription.objects.update(status="ACTIVE", ended_at=None)

    def test_refuses_a_change_that_leads_to_legacy(self, unlimited):
        account = on_plan("creator")
        creator = catalogue.plan_in_force("creator", at=NOW)

        with pytest.raises(IntegrityError, match="legacy_never_entered"):
            PlanChange.objects.create(
                account=account,
                kind="SUBSCRIBE",
                timing="NOW",
                from_version=creator,
                to_version=unlimited,
                to_interval="MONTH",
                form_key="x",
                currency="usd",
                shown_cents=0,
                credits_now=0,
                prorated_at=NOW,
                requested_at=NOW,
            )

    def test_keeps_packs_out_of_the_wallet_of_credits(self, account):
        with pytest.raises(IntegrityError, match="grant_packs_are_premium"):
            grant(account, GrantSource.PACK)

    def test_lets_legacy_be_left(self, account):
        bring_in(plan_row(account))
        creator = catalogue.plan_in_force("creator", at=NOW)

        assert Subscription.objects.update(plan_version=creator) == 1


class TestOverview:
    def test_is_about_premium_credits_where_no_others_ever_moved(self, account, client):
        client.force_login(make_member(account, Role.OWNER))
        bring_in(plan_row(account), pack_row(account, ends_at="2126-01-01T00:00Z"))

        page = " ".join(client.get("/").content.decode().split())

        assert '300 <span class="balance-unit">premium credits</span>' in page
        assert "available, from packs" not in page

    def test_shows_packs_beside_credits(self, account, client):
        client.force_login(make_member(account, Role.OWNER))
        grant(account, GrantSource.PROMO)
        bring_in(
            plan_row(account),
            pack_row(account, ends_at="2126-01-01T00:00Z"),
            pack_row(account, pack="P-2", credits="20", ends_at=""),
        )

        page = " ".join(client.get("/").content.decode().split())

        assert '1 <span class="balance-unit">credits</span>' in page
        assert "320 <span" in page
        assert "1 Jan 2126</time>" in page
        assert "20 without an end" in page

    def test_shows_none_to_others(self, client):
        client.force_login(make_member(on_plan("creator"), Role.OWNER))

        assert "Premium credits" not in client.get("/").content.decode()


class TestCommand:
    @pytest.fixture
    def file(self, account, tmp_path):
        path = tmp_path / "legacy.csv"
        lines = [plan_row(account), pack_row(account)]
        rows = [",".join(row[name] for name in legacy.COLUMNS) for row in lines]
        path.write_text("\n".join([",".join(legacy.COLUMNS), *rows]))
        return path

    def test_says_what_it_did(self, file):
        said = StringIO()

        call_command("import_legacy", file, dry_run=True, stdout=said)
        call_command("import_legacy", file, stdout=said)
        call_command("import_legacy", file, stdout=said)

        assert said.getvalue().splitlines() == [
            "Legacy: 2 of 2 rows would change.",
            "Legacy: 2 of 2 rows changed.",
            "Legacy: 0 of 2 rows changed.",
        ]

    def test_tells_each_row_that_is_wrong(self, file):
        file.write_text(file.read_text().replace("acc_", "acd_"))

        with pytest.raises(CommandError, match=r"Nothing was changed.\nLine 2: .*\nL"):
            call_command("import_legacy", file)

    def test_needs_the_columns(self, tmp_path):
        (path := tmp_path / "x.csv").write_text("a,b\n1,2")

        with pytest.raises(CommandError, match="The columns must be: kind, account,"):
            call_command("import_legacy", path)
