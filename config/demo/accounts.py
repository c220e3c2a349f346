"""The accounts of the demo: their plans, members, and what happened to them so far."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress

from accounts.models import Account, Membership, Role, User
from billing.core.periods import cycle, cycle_index
from billing.models import Interval
from billing.plans import renewing
from config.demo import people
from credits import alerting, alerts, ledger, member_caps, quoting
from credits.core.rating import JobLine
from credits.models import EXPIRY_DAYS, Wallet, WalletUnit

if TYPE_CHECKING:
    from collections.abc import Mapping
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
QUIET = timedelta(days=3)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account: when its plan began, and how many jobs it runs on a working day.

    `packs` are the premium credits that came with a legacy plan, pack by pack.
    """

    public_id: str
    name: str
    members: Mapping[Person, Role]
    plan: str = ""
    began: timedelta = timedelta()
    packs: tuple[int, ...] = ()
    jobs_a_day: int = 0
    warned_below: tuple[int, ...] = ()
    caps: Mapping[Person | None, int] = field(default_factory=dict)
    country: str = "US"
    free_videos: int = 0


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
    warned_below=(2_500, 500, 100),
    caps={None: 1_000, people.ELIF: 300},
)
VINTAGE = DemoAccount(
    "acc_demovintage",
    "Vintage Reels",
    {people.VERA: Role.OWNER},
    plan="legacy-unlimited",
    began=timedelta(days=75),
    packs=(400, 300, 300),
    jobs_a_day=1,
)
SOLO = DemoAccount(
    "acc_demosolo",
    "Sam Ito",
    {people.SAM: Role.OWNER},
    country="JP",
    free_videos=1,
)

ACCOUNTS = (NORTHWIND, LUMEN, ATLAS, HARBOR, VINTAGE, SOLO)


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
    """Make an account with members, and a past that Stripe knows nothing of."""
    account = open_account(described)
    if described.plan and not described.packs:
        _live_through(
            described, account, anchor_at=midnight(at) - described.began, at=at
        )
    set_limits(described, account, at=at)
    return account


def open_account(described: DemoAccount) -> Account:
    """Make an account with its members, without a past."""
    account = Account.objects.create(
        public_id=described.public_id, name=described.name, country=described.country
    )
    for person, role in described.members.items():
        user = make_person(person)
        Membership.objects.create(account=account, user=user, role=role)
    return account


def set_limits(described: DemoAccount, account: Account, *, at: datetime) -> None:
    """Let an account be warned, its members be capped, and its free videos count."""
    if described.warned_below:
        _watch(described, account, at=at)
    for person, credits in described.caps.items():
        _cap(person, account, credits, at=at)
    for number in range(described.free_videos):
        ledger.claim_free_video(
            wallet_id=Wallet.objects.get(account=account).pk,
            milliseconds=45_000,
            reference=_WHY[number],
            idempotency_key=f"demo:{number}",
            actor="Demo backend",
            at=at,
        )


def midnight(at: datetime) -> datetime:
    """Return when the day of an instant began, in UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _watch(described: DemoAccount, account: Account, *, at: datetime) -> None:
    wallet = Wallet.objects.get(account=account)
    alerts.change(
        wallet=wallet,
        thresholds=described.warned_below,
        expiry_days=EXPIRY_DAYS,
        emails=["producers@harbor.example"],
        by=account.memberships.get(role=Role.OWNER).user,
        at=at,
    )
    alerting.raise_low_balances([wallet.pk], at=at)


def _cap(
    person: Person | None, account: Account, credits: int, *, at: datetime
) -> None:
    members = account.memberships.select_related("user")
    member_caps.set_cap(
        Wallet.objects.get(account=account),
        member=members.get(user__email=person.email) if person else None,
        credits=credits,
        by=members.get(role=Role.OWNER),
        at=at,
    )


def work(described: DemoAccount, account: Account, *, day: datetime) -> None:
    """Run the jobs of a day, the same on each such day: it begins at `day`."""
    if day.weekday() >= _SATURDAY:
        return
    # Seeded, so that every demo of a weekday looks the same.
    chance = random.Random(f"{described.public_id} {day:%m-%d}")  # noqa: S311
    members = list(User.objects.filter(memberships__account=account).order_by("pk"))
    unit = WalletUnit.PREMIUM if described.packs else WalletUnit.CREDITS
    wallet = Wallet.objects.get(account=account, unit=unit)
    minutes = sorted(chance.sample(range(8 * 60), described.jobs_a_day))
    for number, minute in enumerate(minutes):
        _run_job(
            f"demo:{day:%Y-%m-%d}:{number}",
            wallet,
            chance.choice(members),
            chance,
            at=day + timedelta(hours=9, minutes=minute),
        )


def _run_job(
    key: str, wallet: Wallet, member: User, chance: random.Random, *, at: datetime
) -> None:
    feature, most = chance.choice(_WORK)
    amount = chance.randint(max(1, most // 6), most)
    # Films last whole seconds; pieces are few.
    line = JobLine(feature, amount - amount % 1_000 if most > 1_000 else amount)
    quote = quoting.quote(lines=[line], rate_plan=wallet.rate_plan, at=at)
    command = ledger.Spend(
        wallet_id=wallet.pk,
        lines=quote.lines,
        idempotency_key=key,
        actor="Demo backend",
        reference=chance.choice(_WHY),
        member_id=member.pk,
        member=member.email,
    )
    ledger.spend(command, at=at)


def _live_through(
    described: DemoAccount, account: Account, *, anchor_at: datetime, at: datetime
) -> None:
    for index in range(cycle_index(anchor_at, at) + 1):
        month = cycle(anchor_at, index)
        if index == 0:
            subscription = renewing.begin(
                account_id=account.pk,
                plan_code=described.plan,
                interval=Interval.MONTH,
                anchor_at=anchor_at,
                at=anchor_at,
            )
        else:
            renewing.renew(subscription_id=subscription.pk, at=month.starts_at)
        for day in range((min(month.ends_at, at - QUIET) - month.starts_at).days):
            work(described, account, day=month.starts_at + timedelta(days=day))
