"""Lets random customers live through months in the sandbox, and checks the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing import portal_clock, stripe_gateway
from config.simulation.running import Plan, simulate

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """In the portal's own database, beside a running worker and beat."""

    help = "Simulate customers of every plan. Exit code 1 when the books differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many, for how long, and which story."""
        parser.add_argument("--accounts", type=int, default=20)
        parser.add_argument("--months", type=int, default=14)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--without-renewals",
            action="store_true",
            help="hear nothing and run nothing: the books must differ then",
        )

    def handle(
        self,
        *,
        accounts: int,
        months: int,
        seed: int,
        without_renewals: bool,
        **_: object,
    ) -> None:
        """Simulate; print each month, and everything that was wrong."""
        if not settings.IS_STRIPE_SANDBOX:
            raise CommandError("Simulations move the clock: in sandbox mode only.")
        plan = Plan(accounts, months, seed, renews=not without_renewals)
        try:
            portal_clock.follow()
            found = simulate(plan, tell=self.stdout.write)
        except stripe_gateway.BillingError as refused:
            raise CommandError(f"{refused} Again: {plan.command()}") from refused
        for difference in found:
            self.stderr.write(difference)
        if found:
            message = f"Seed {seed} found {len(found)} differences: {plan.command()}"
            raise CommandError(message, returncode=1)
        self.stdout.write(f"{accounts} accounts, {months} months: no differences.")
