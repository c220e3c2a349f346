"""Bring customers to the version of their plan that is sold now (R36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand

from accounts.templatetags.units import money
from billing.changes import migrating
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from billing.changes.migrating import Migration


class Command(BaseCommand):
    """Safe to run again: who is on the way is passed over."""

    help = "Show whose price would change, to what and when; change it with --execute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the plan, and whether to go on with it."""
        parser.add_argument("--plan", default="", help="Only this plan, by its code.")
        parser.add_argument(
            "--execute", action="store_true", help="Schedule it and tell the customers."
        )

    def handle(self, *, plan: str, execute: bool, **_: object) -> None:
        """List everybody who is on an older version, and how many move."""
        at, moved, left = now(), 0, 0
        for migration in migrating.planned(plan_code=plan, at=at):
            self.stdout.write(_line(migration))
            if migration.obstacle or (
                execute and not migrating.migrate(migration, at=at)
            ):
                left += 1
            else:
                moved += 1
        would = "are told and move" if execute else "would move"
        self.stdout.write(f"{moved} {would}; {left} stay for now.")


def _line(migration: Migration) -> str:
    subscription, target = migration.subscription, migration.target
    currency = target.version.currency
    move = (
        f"{subscription.account.public_id}  {subscription.plan_version} -> "
        f"{target.version}  {money(migration.old_cents, currency)} -> "
        f"{money(migration.new_cents, currency)} {target.interval.label}"
    )
    if migration.obstacle:
        return f"{move}  stays: {migration.obstacle}"
    return f"{move}  from {migration.begins_at:%Y-%m-%d}"
