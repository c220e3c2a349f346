"""Create a service key from the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from accounts import keys
from accounts.models import Account, Scope
from config.clock import now

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Print a new key, this once."""

    help = (
        "Create a service key and print it, once. Without --account it is the"
        " operator's own key, which opens every account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name, scopes, account, lifetime."""
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scope", required=True, action="append", choices=Scope.values
        )
        parser.add_argument("--account", metavar="acc_…")
        parser.add_argument("--expires-days", type=int, metavar="DAYS")

    def handle(
        self,
        *,
        name: str,
        scope: list[str],
        account: str | None,
        expires_days: int | None,
        **_: object,
    ) -> None:
        """Issue the key; only the key itself goes to standard output."""
        at = now()
        if expires_days is not None and expires_days < 1:
            raise CommandError("--expires-days takes 1 or more.")
        issued = keys.issue(
            name=name,
            scopes=set(scope),
            account=_account(account),
            expires_at=at + timedelta(days=expires_days) if expires_days else None,
            at=at,
        )
        self.stderr.write(f"{issued.key}: keep it now, it is shown only here.")
        self.stdout.write(issued.secret)


def _account(public_id: str | None) -> Account | None:
    if public_id is None:
        return None
    try:
        return Account.objects.get(public_id=public_id)
    except Account.DoesNotExist:
        raise CommandError(f"There is no account {public_id}.") from None
