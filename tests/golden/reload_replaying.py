"""Replays a vector of auto-reload: jobs draw, the sweeper looks, cards are charged."""

from __future__ import annotations

from contextlib import suppress

from accounts.models import Account, Role, User
from billing import stripe_gateway
from billing.models import Reload, ReloadTrigger
from billing.plans import catalogue
from billing.reconciling import running
from billing.reloads import charging, confirming, reloading
from billing.reloads import settings as reload_settings
from billing.reloads.forms import CENTS, ReloadForm
from credits import ledger
from stripe_sandbox.cards import by_token
from tests.billing.reloads import agree, limits, paid, save_card, skips, sweep
from tests.factories import make_member
from tests.golden.plan_replaying import PlanReplay

_ON_CHARGE = "POST /v1/payment_intents"


class SettingsRefused(Exception):
    """The form of the settings takes no such number."""

    def __init__(self, fields: list[str]):
        super().__init__(fields)
        self.fields = fields


class ReloadReplay(PlanReplay):
    """An account on a plan whose owner lets a card be charged."""

    refusals_expected = (
        *PlanReplay.refusals_expected,
        SettingsRefused,
        reload_settings.SettingsMoved,
        confirming.NothingToConfirm,
    )

    def outcome(self) -> dict:
        """Return all that a vector of auto-reload may expect."""
        reloads = Reload.objects.filter(account=self.account).order_by("pk")
        return super().outcome() | {
            "reloads": {
                "charged": paid(self.plans.wire)[self._paid_before :],
                "states": [reload.state for reload in reloads],
                "declines": [reload.declines for reload in reloads],
                "skips": skips(self.account),
            }
        }

    def run(self, commands: list[dict]) -> None:
        """Carry the commands out; what was charged before them is the plan's."""
        self._paid_before = len(paid(self.plans.wire))
        super().run(commands)

    def _agree(self, command: dict, _: dict) -> None:
        """Turn auto-reload on with a newly saved card, as the form does."""
        token = command.get("card", "pm_card_visa")
        card = save_card(self.plans.wire, self.account, token)
        names = {"threshold", "blocks", "largest_charge_cents"}
        names |= {"monthly_cap_cents", "monthly_cap_count"}
        given = {name: command[name] for name in names & command.keys()}
        self._check(card, given)
        by = self._admin() if command.get("by") == "admin" else self.owner
        auto = agree(
            self.account, by, card, at=self.at, version=command.get("shown"), **given
        )
        if begun := reloading.consider(
            account_id=auto.account_id, trigger=ReloadTrigger.SETTINGS, at=self.at
        ):
            self._charge(begun)

    def _check(self, card: stripe_gateway.SavedCard, given: dict) -> None:
        wanted = limits(**given)
        sent = {
            "threshold": wanted.threshold,
            "blocks": wanted.blocks,
            "largest_charge": wanted.largest_charge_cents // CENTS,
            "monthly_cap": wanted.monthly_cap_cents // CENTS,
            "monthly_count": wanted.monthly_cap_count,
            "card": card.id,
        }
        offer = catalogue.blocks_in_force(at=self.at)
        form = ReloadForm(sent, offer=offer, cards=[card])
        if not form.is_valid():
            raise SettingsRefused(sorted(form.errors))

    def _admin(self) -> User:
        found = self.account.memberships.filter(role=Role.ADMIN).first()
        return found.user if found else make_member(self.account, Role.ADMIN)

    def _miss_events(self, _: dict, __: dict) -> None:
        """Lose all that Stripe has told and nobody has heard yet."""
        self.plans.news()

    def _bring_what_was_paid(self, _: dict, __: dict) -> None:
        """Do what the reconciliation does every few minutes (R55)."""
        running.bring_what_was_paid(at=self.at)

    def _stop(self, _: dict, __: dict) -> None:
        reload_settings.turn_off(self.account, by=self.owner, at=self.at)

    def _sweep(self, _: dict, __: dict) -> None:
        with suppress(stripe_gateway.StripeUnavailable):
            sweep(Account.objects.get(pk=self.account.pk), at=self.at)

    def _refused_job(self, command: dict, call: dict) -> None:
        """Try a job that needs more than there is, as the API tells of it."""
        try:
            self._spend({"do": "spend", **command}, call)
        except ledger.InsufficientCredits as refusal:
            answer = reloading.answer_to(
                account_id=self.account.pk, needed=refusal.needed, at=self.at
            )
            if answer:
                self._charge(answer)
            raise

    def _outage(self, command: dict, _: dict) -> None:
        self.plans.wire.fail_next(command["kind"], on=_ON_CHARGE, times=3)

    def _confirm(self, command: dict, _: dict) -> None:
        """Pay on the page that the e-mail leads to, and pass the bank's challenge."""
        waiting = Reload.objects.select_related("purchase__offer").latest("pk")
        confirming.open_page(waiting, at=self.at)
        waiting.purchase.refresh_from_db()
        session_id = waiting.purchase.stripe_session_id or ""
        card = by_token(command["card"])
        assert card
        self.plans.wire.pay(session_id, card=card.number)
        self.plans.wire.answer_challenge(session_id, approve=True)
        self.plans.hear()

    def _charge(self, begun: reloading.Considered) -> None:
        if begun.reload_id:
            with suppress(stripe_gateway.StripeUnavailable):
                charging.charge(reload_id=begun.reload_id, at=self.at)
