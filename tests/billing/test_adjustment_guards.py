"""What the database refuses of adjustments, whoever asks and in whatever words."""

from __future__ import annotations

import pytest
from django.db import (
    DatabaseError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)

from accounts.models import StaffLimit
from billing import adjusting, bulk_adjusting
from billing.models import Adjustment, ReasonCode
from tests.billing.adjustments import add, make_admin, propose
from tests.billing.batches import incident, line, made_good, sheet, spend
from tests.conftest import NOW
from tests.factories import make_wallet

UPDATE = "UPDATE billing_adjustment SET {} WHERE id = {}"
APPROVED_BY = "state = 'APPROVED', decided_at = now(), decided_by_id = {}"
MADE = "state = 'MADE', made_at = now(), entry_id = {}"


@pytest.fixture
def ada(db):
    return make_admin("ada@example.com")


@pytest.fixture
def grace(db):
    return make_admin("grace@example.com")


@pytest.fixture
def proposed(ada) -> Adjustment:
    """600 credits, which need somebody else."""
    return propose(add(make_wallet().account, 600), ada)


def refused(adjustment: Adjustment, change: str, *, by: str) -> None:
    """Change a row as the portal's own login may, and be refused by this rule."""
    with (
        pytest.raises(DatabaseError, match=by),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(UPDATE.format(change, adjustment.pk))


def copied(adjustment: Adjustment, **changed: object) -> Adjustment:
    """Return a row like another, not saved yet."""
    fields = {
        field.attname: getattr(adjustment, field.attname)
        for field in Adjustment._meta.concrete_fields
        if field.attname not in {"id", "public_id"}
    }
    return Adjustment(**(fields | {"form_key": "copy"} | changed))


class TestApproval:
    def test_is_not_for_its_maker(self, proposed, ada):
        refused(proposed, APPROVED_BY.format(ada.pk), by="is_not_approved_by_its_maker")

    def test_is_not_for_its_maker_as_the_first_of_two(self, proposed, ada):
        refused(
            proposed,
            f"first_approved_by_id = {ada.pk}, first_approved_at = now()",
            by="is_not_approved_by_its_maker",
        )

    def test_is_needed_above_the_limit(self, proposed):
        refused(proposed, "state = 'APPROVED'", by="adjustment_decided_as_needed")

    def test_is_not_jumped_over(self, proposed):
        refused(proposed, "state = 'MADE', made_at = now()", by="one_way")

    def test_of_two_is_of_two_people(self, ada, grace):
        draft = add(make_wallet().account, 5)
        of_two = copied(propose(draft, ada), approvals_needed=2)
        of_two.save()

        refused(of_two, APPROVED_BY.format(grace.pk), by="decided_as_needed")
        refused(
            of_two,
            f"first_approved_by_id = {grace.pk}, {APPROVED_BY.format(grace.pk)}",
            by="is_not_approved_by_its_maker",
        )

    def test_without_an_entry_makes_nothing(self, proposed, grace):
        with connection.cursor() as cursor:
            approved = APPROVED_BY.format(grace.pk)
            cursor.execute(UPDATE.format(approved, proposed.pk))

        refused(proposed, MADE.format("NULL"), by="adjustment_made_means_moved")


class TestProposal:
    @pytest.mark.parametrize(
        "change",
        [
            "credits = 5",
            "comment = 'Something else entirely'",
            "approvals_needed = 0",
            "limit_credits = 100000",
            "account_id = 1",
            "content_hash = repeat('0', 64)",
            "proposed_by_id = 1",
        ],
    )
    def test_is_never_edited_by_the_portal(self, proposed, change):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(UPDATE.format(change, proposed.pk))

    def test_with_too_short_a_reason_is_refused(self, proposed):
        with (
            pytest.raises(DatabaseError, match="adjustment_says_why"),
            transaction.atomic(),
        ):
            copied(proposed, comment="   short    ").save()

    def test_above_the_limit_needs_somebody(self, proposed):
        with (
            pytest.raises(DatabaseError, match="above_the_limit_needs_others"),
            transaction.atomic(),
        ):
            copied(proposed, approvals_needed=0).save()

    @pytest.mark.parametrize(
        "changed",
        [
            {"kind": "WRITE_OFF_DEBT", "expires_at": None, "approvals_needed": 0},
            {"credits": 0},
            {"expires_at": None},
            {"kind": "REVERSAL", "expires_at": None},
            {"kind": "MOVE_EXPIRY"},
            {"kind": "GIFT"},
            {"reason_code": "BECAUSE"},
            {"state": "APPROVED"},
            {"content_hash": "none"},
        ],
        ids=str,
    )
    def test_is_whole(self, proposed, changed):
        with pytest.raises(DatabaseError, match="adjustment_"), transaction.atomic():
            copied(proposed, **changed).save()

    def test_reverses_only_what_was_made(self, proposed):
        reversal = copied(
            proposed, kind="REVERSAL", expires_at=None, reverses_id=proposed.pk
        )

        with (
            pytest.raises(DatabaseError, match="reverses_what_was_made"),
            transaction.atomic(),
        ):
            reversal.save()

    def test_of_one_form_is_one_row(self, proposed):
        with pytest.raises(DatabaseError, match="form_key"), transaction.atomic():
            copied(proposed, form_key=proposed.form_key).save()


class TestDecision:
    @pytest.mark.parametrize(
        "change",
        [
            "state = 'PROPOSED', made_at = NULL, entry_id = NULL",
            "state = 'WITHDRAWN'",
            "decided_by_id = proposed_by_id",
            "decision_reason = 'Otherwise'",
            "made_at = now() + interval '1 day'",
        ],
    )
    def test_is_final(self, proposed, grace, change):
        made = adjusting.approve(proposed.pk, by=grace, at=NOW)

        refused(made, change, by=r"adjustment_goes_one_way")

    def test_to_reject_says_why(self, proposed, grace):
        change = APPROVED_BY.format(grace.pk).replace("APPROVED", "REJECTED")

        refused(proposed, change, by="adjustment_decided_as_needed")


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
class TestOwner:
    @pytest.mark.parametrize(
        ("statement", "by"),
        [
            ("UPDATE {} SET credits = 5", "content_never_changes"),
            ("UPDATE {} SET comment = 'Otherwise, on reflection'", "content_never"),
            ("UPDATE {} SET approvals_needed = 0", "content_never_changes"),
            ("DELETE FROM {}", "append-only"),
            ("TRUNCATE {} CASCADE", "append-only"),
        ],
    )
    def test_may_not_change_what_was_decided(self, statement, by):
        proposed = propose(add(make_wallet().account, 600), make_admin())
        adjusting.approve(proposed.pk, by=make_admin(), at=NOW)

        with (
            pytest.raises(DatabaseError, match=by),
            connections["owner"].cursor() as cursor,
        ):
            cursor.execute(statement.format("billing_adjustment"))


class TestReasons:
    def test_are_those_that_the_database_knows(self, proposed):
        for number, code in enumerate(ReasonCode.values):
            copied(proposed, reason_code=code, form_key=f"copy{number}").save()

        assert Adjustment.objects.count() == 1 + len(ReasonCode.values)


class TestLimit:
    """The portal may not say what somebody's limit is: it is counted."""

    def alone(self, adjustment: Adjustment, **changed: object) -> None:
        with (
            pytest.raises(DatabaseError, match="staff_limit_is_counted"),
            transaction.atomic(),
        ):
            copied(adjustment, approvals_needed=0, **changed).save()

    def test_is_not_what_the_portal_says(self, proposed):
        self.alone(proposed, limit_credits=600)

    def test_is_a_persons_own(self, proposed, ada):
        StaffLimit.objects.create(user=ada, per_adjustment=50, per_day=60)

        self.alone(proposed, credits=60, limit_credits=60)

    def test_of_a_day_counts_what_was_adjusted_alone(self, proposed, ada):
        StaffLimit.objects.create(user=ada, per_adjustment=50, per_day=60)
        propose(add(proposed.account, 40), ada)

        self.alone(proposed, credits=21, limit_credits=21)
        copied(proposed, credits=20, limit_credits=20, approvals_needed=0).save()

    def test_of_a_day_counts_what_was_made_good_alone(self, proposed, ada):
        StaffLimit.objects.create(user=ada, per_adjustment=50, per_day=60)
        spend(make_wallet(grants={"a": (40, None)}), ("look", 40), key="job")
        made_good(incident("look"), by=ada)

        self.alone(proposed, credits=21, limit_credits=21)

    def test_is_never_higher_than_the_settings_of_the_last_migration(
        self, proposed, ada, settings
    ):
        settings.ADJUSTMENT_LIMIT = settings.ADJUSTMENT_DAILY_LIMIT = 100_000

        assert adjusting.room(ada, at=NOW) == 500

    def test_of_a_file_is_counted_too(self, ada):
        account = make_wallet().account
        file = bulk_adjusting.check(sheet(line(account, 600)), name="", by=ada, at=NOW)
        file.state, file.comment = "PROPOSED", "Because the portal says so"
        file.limit_credits = 600

        with (
            pytest.raises(DatabaseError, match="staff_limit_is_counted"),
            transaction.atomic(),
        ):
            file.save()

    def test_of_a_make_good_is_counted_too(self, ada):
        spend(make_wallet(grants={"a": (600, None)}), ("look", 600), key="job")
        waiting = made_good(incident("look"), by=ada)
        waiting.pk, waiting.public_id, waiting.form_key = None, "mg_other", "other"
        waiting.approvals_needed, waiting.limit_credits = 0, 600

        with (
            pytest.raises(DatabaseError, match="staff_limit_is_counted"),
            transaction.atomic(),
        ):
            waiting.save()
