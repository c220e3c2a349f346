"""The accounts of the demo: their plans, members, and what happened to them so far."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress

from accounts.models import Account, Membership, Role, User
from billing import subscribing
from billing.core.periods import cycle, cycle_index
from billing.models import Interval
from config.demo import people
from credits import ledger, quoting
from credits.core.rating import JobLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from config.demo.people import Person

# What people make, and how much of it at most: milliseconds, or pieces.
_WORK = (
    ("avatar-iv", 90_000),
    ("avatar-iii", 240_000),
    ("translation", 180_000),
    ("video-agent", 60_000),
    ("image", 6),
    ("look", 3),
)
_WHY = ("Launch film", "Newsletter", "Course module 3", "Product tour", "Town hall")
# History ends a few days back, so that nothing of it lies in the future.
_QUIET = timedelta(days=3)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account: when its plan began, and how many jobs it runs on a working day."""

    public_id: str
    name: str
    members: Mapping[Person, Role]
    plan: str = ""
    began: timedelta = timedelta()
    jobs_a_day: int = 0


NORTHWIND = DemoAccount(
    "acc_demonorthwind",
    "Northwind Studio",
    {
        people.NORA: Role.OWNER,
        people.ANTON: Role.ADMIN,
        people.BEA: Role.BILLING,
        people.MILO: Role.MEMBER,
    },
    plan="business",
    began=timedelta(days=9),
)
LUMEN = DemoAccount(
    "acc_demolumen",
    "Lumen Films",
    {people.LUCIA: Role.OWNER},
    plan="creator",
    began=timedelta(days=16),
    jobs_a_day=2,
)
ATLAS = DemoAccount(
    "acc_demoatlas",
    "Atlas Learning",
    {people.ASHA: Role.OWNER},
    plan="pro-1000",
    began=timedelta(days=25),
    jobs_a_day=2,
)
HARBOR = DemoAccount(
    "acc_demoharbor",
    "Harbor News",
    {people.HUGO: Role.OWNER, people.ELIF: Role.MEMBER},
    plan="business",
    began=timedelta(days=104),
    jobs_a_day=6,
)
SOLO = DemoAccount("acc_demosolo", "Sam Ito", {people.SAM: Role.OWNER})

ACCOUNTS = (NORTHWIND, LUMEN, ATLAS, HARBOR, SOLO)


def make_person(person: Person, **rights: bool) -> User:
    """Make a user who can sign in: password and verified address."""
    user = User.objects.create_user(
        person.email, people.PASSWORD, name=person.name, **rights
    )
    EmailAddress.objects.create(
        user=user, email=person.email, verified=True, primary=True
    )
    return user


def make(described: DemoAccount, *, at: datetime) -> Account:
    """Make an account with its members, its plan, and its past up to `at`."""
    account = Account.objects.create(public_id=described.public_id, name=described.name)
    for person, role in described.members.items():
        user = make_person(person)
        Membership.objects.create(account=account, user=user, role=role)
    if described.plan:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        _live_through(described, account, anchor_at=midnight - described.began, at=at)
    return account


def _live_through(
    described: DemoAccount, account: Account, *, anchor_at: datetime, at: datetime
) -> None:
    for index in range(cycle_index(anchor_at, at) + 1):
        month = cycle(anchor_at, index)
        if index == 0:
            subscription = subscribing.begin(
                account_id=account.pk,
                plan_code=described.plan,
                interval=Interval.MONTH,
                anchor_at=anchor_at,
                at=anchor_at,
            )
        else:
            subscribing.renew(subscription_id=subscription.pk, at=month.starts_at)
        _work(described, account, since=month.starts_at, until=month.ends_at, at=at)


def _work(
    described: DemoAccount,
    account: Account,
    *,
    since: datetime,
    until: datetime,
    at: datetime,
) -> None:
    # Seeded, so that every demo of a weekday looks the same.
    chance = random.Random(f"{described.public_id} {since:%m-%d}")  # noqa: S311
    members = list(User.objects.filter(memberships__account=account).order_by("pk"))
    wallet_id = ledger.open_wallet(account_id=account.pk, at=at)
    until = min(until, at - _QUIET)
    for number, done_at in enumerate(_working_hours(described, chance, since, until)):
        feature, most = chance.choice(_WORK)
        amount = chance.randint(max(1, most // 6), most)
        # Films last whole seconds; pieces are few.
        line = JobLine(feature, amount - amount % 1_000 if most > 1_000 else amount)
        quote = quoting.quote(lines=[line], rate_plan=quoting.STANDARD, at=done_at)
        member = chance.choice(members)
        command = ledger.Spend(
            wallet_id=wallet_id,
            lines=quote.lines,
            idempotency_key=f"demo:{since:%Y-%m-%d}:{number}",
            actor="Demo backend",
            reference=chance.choice(_WHY),
            member_id=member.pk,
            member=member.email,
        )
        ledger.spend(command, at=done_at)


def _working_hours(
    described: DemoAccount, chance: random.Random, since: datetime, until: datetime
) -> Iterator[datetime]:
    """Yield the instants of jobs on working days from 9 to 17, in order."""
    for day in range((until - since).days):
        morning = since + timedelta(days=day, hours=9)
        if morning.weekday() < _SATURDAY:
            minutes = sorted(chance.sample(range(8 * 60), described.jobs_a_day))
            yield from (morning + timedelta(minutes=minute) for minute in minutes)
