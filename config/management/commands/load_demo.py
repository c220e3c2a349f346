"""Fills a development database with people and accounts to look around with."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import F

from accounts.models import Account, Notice, Scope, ServiceKey, User
from accounts.roles import StaffGroup
from config.clock import real_now
from config.demo import accounts, legacy, months, people

if TYPE_CHECKING:
    from datetime import datetime

_STAFF = {
    people.THEO: StaffGroup.SUPPORT,
    people.AMARA: StaffGroup.ADMIN,
    people.INES: StaffGroup.FINANCE,
}


class Command(BaseCommand):
    """Make what is missing; what is there is left as it is."""

    help = "Load the demo's people, accounts and their history. Never in production."

    def handle(self, **_: object) -> None:
        """Load people, then accounts with their past."""
        if settings.IS_PRODUCTION:
            raise CommandError("The demo has known passwords: never in production.")
        with transaction.atomic():
            _make_staff()
            _make_operator_key()
        known = set(Account.objects.values_list("public_id", flat=True))
        new = [one for one in accounts.ACCOUNTS if one.public_id not in known]
        # What has a past at Stripe cannot be set back: then the others get one without.
        is_first = len(new) == len(accounts.ACCOUNTS)
        at = real_now()
        if settings.IS_STRIPE_SANDBOX and is_first:
            _live_through(new, at=at)
        else:
            for described in new:
                with transaction.atomic():
                    accounts.make(described, at=at)
        _keep_legacy_plans(new, at=at)
        # The past has told its people already.
        Notice.objects.filter(sent_at=None, created_at__lt=at).update(
            sent_at=F("created_at")
        )
        self.stdout.write(f"Demo: {len(new)} accounts made.")


def _live_through(described: list[accounts.DemoAccount], *, at: datetime) -> None:
    with transaction.atomic():
        made = [(one, accounts.open_account(one)) for one in described]
    months.live_through(made, at=at)
    for one, account in made:
        accounts.set_limits(one, account, at=at)


def _keep_legacy_plans(described: list[accounts.DemoAccount], *, at: datetime) -> None:
    for one in described:
        if one.packs:
            account = Account.objects.get(public_id=one.public_id)
            with transaction.atomic():
                legacy.keep(one, account, at=at)


def _make_staff() -> None:
    known = set(User.objects.values_list("email", flat=True))
    if people.STELLA.email not in known:
        accounts.make_person(people.STELLA, is_staff=True, is_superuser=True)
    for person, group in _STAFF.items():
        if person.email not in known:
            user = accounts.make_person(person, is_staff=True)
            user.groups.add(Group.objects.get(name=group))


def _make_operator_key() -> None:
    # Known to everybody, unlike those that `accounts.keys` makes.
    brand, prefix, _secret = people.OPERATOR_KEY.split("_")
    ServiceKey.objects.get_or_create(
        prefix=f"{brand}_{prefix}",
        defaults={
            "name": "Demo backend",
            "last4": people.OPERATOR_KEY[-4:],
            "secret_hash": sha256(people.OPERATOR_KEY.encode()).digest(),
            "scopes": sorted(Scope.values),
        },
    )
