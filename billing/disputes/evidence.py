"""What our own records say of a disputed payment, as a bank can read it.

All instants are UTC. Nothing here is asserted: each line is a row of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from allauth.usersessions.models import UserSession
from django.db.models import F, Q

from accounts.models import AuditEvent, Notice
from accounts.templatetags.units import money
from billing.models import Consent
from credits import statements
from credits.models import EntryKind, GrantDraw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Account
    from billing.models import Dispute, Purchase
    from billing.payments import Payment

# Stripe takes 20,000 characters a field.
_LONGEST = 20_000
_MOST_LINES = 200
_JOBS = (EntryKind.SPEND, EntryKind.CAPTURE)
REFUND_POLICY = (
    "Credits that were not used can be refunded within 14 days of their purchase. "
    "Credits that were used cannot: the work that they paid for was delivered."
)


@dataclass(frozen=True, slots=True)
class Section:
    """Lines about one thing, each of which can be found again in our records."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about a payment that may convince a bank."""

    buyer_name: str
    buyer_email: str
    order_address: str
    product: str
    served_on: str
    payment: Section
    consent: Section
    mails: Section
    sign_ins: Section
    usage: Section
    policy: Section

    @property
    def sections(self) -> tuple[Section, ...]:
        """Return the sections that say something, in the order of reading."""
        all_of_them = (
            *(self.payment, self.consent, self.mails),
            *(self.sign_ins, self.usage, self.policy),
        )
        return tuple(section for section in all_of_them if section.lines)

    @property
    def text(self) -> str:
        """Return all of it as plain text."""
        return "\n\n".join(_text(section) for section in self.sections) + "\n"


def evidence_of(dispute: Dispute, payment: Payment) -> Evidence:
    """Return what our records say of a disputed payment."""
    purchase = dispute.purchase
    buyer = purchase.buyer if purchase else None
    return Evidence(
        buyer_name=buyer.display_name if buyer else payment.account.name,
        buyer_email=buyer.email if buyer else payment.account.billing_email,
        order_address=_order_address(purchase) if purchase else _agreed_from(payment),
        product=_product(dispute, payment),
        served_on=f"{payment.paid_at:%Y-%m-%d}",
        payment=Section("Payment", tuple(_payment_lines(dispute, payment))),
        consent=Section("Agreement", tuple(_consent_lines(payment))),
        mails=Section("E-mails that were sent", tuple(_mail_lines(payment))),
        sign_ins=Section("Sign-ins", tuple(_sign_in_lines(payment.account))),
        usage=Section("Use of the very credits paid for", _usage_lines(payment)),
        policy=Section("Refund policy", (REFUND_POLICY,)),
    )


def for_stripe(evidence: Evidence, *, note: str) -> dict[str, str]:
    """Return evidence under Stripe's names; `note` is what staff add in their words.

    Source: https://docs.stripe.com/api/disputes/evidence_object
    """
    fields = {
        "customer_name": evidence.buyer_name,
        "customer_email_address": evidence.buyer_email,
        "customer_purchase_ip": evidence.order_address,
        "product_description": evidence.product,
        "service_date": evidence.served_on,
        "refund_policy_disclosure": REFUND_POLICY,
        "access_activity_log": evidence.text,
        "uncategorized_text": note,
    }
    return {name: text[:_LONGEST] for name, text in fields.items() if text}


def _text(section: Section) -> str:
    return "\n".join([section.title, "-" * len(section.title), *section.lines])


def _product(dispute: Dispute, payment: Payment) -> str:
    amount = money(payment.paid_cents, payment.currency)
    if dispute.purchase:
        return f"{payment.granted} credits for online services, {amount}."
    plan = dispute.invoice and dispute.invoice.subscription
    return f"{plan.plan_version.plan.name} plan, {amount}." if plan else f"{amount}."


def _payment_lines(dispute: Dispute, payment: Payment) -> Iterator[str]:
    yield f"{payment.public_id}: {_product(dispute, payment)}"
    if purchase := dispute.purchase:
        address = _order_address(purchase)
        where = f" from {address}" if address else ""
        yield f"Ordered {_utc(purchase.opened_at)} by {purchase.buyer.email}{where}."
        if purchase.receipt_url:
            yield f"Receipt: {purchase.receipt_url}"
    yield f"Paid {_utc(payment.paid_at)}, as {payment.payment_intent_id}."


def _order_address(purchase: Purchase) -> str:
    opened = AuditEvent.objects.filter(
        action="purchase.opened",
        account_id=purchase.account_id,
        target=purchase.public_id,
        ip_address__isnull=False,
    ).first()
    return str(opened.ip_address) if opened else ""


def _agreed_from(payment: Payment) -> str:
    consent = _consents(payment).filter(address__isnull=False).last()
    return str(consent.address) if consent else ""


def _consents(payment: Payment) -> QuerySet[Consent]:
    given = Consent.objects.filter(
        account=payment.account, given_at__lte=payment.paid_at
    )
    return given.select_related("user").order_by("given_at")


def _consent_lines(payment: Payment) -> Iterator[str]:
    for consent in _consents(payment):
        where = f" from {consent.address}" if consent.address else ""
        yield (
            f"{_utc(consent.given_at)}, {consent.user.email}{where}, "
            f"version {consent.version}: “{consent.text}”"
        )


def _mail_lines(payment: Payment) -> Iterator[str]:
    sent = Notice.objects.filter(account=payment.account, sent_at__gte=payment.paid_at)
    about_doubts = Q(kind__startswith="dispute") | Q(kind__startswith="fraud")
    for mail in sent.exclude(about_doubts).order_by("sent_at")[:_MOST_LINES]:
        yield f"{_utc(mail.sent_at)} to {mail.recipient}: {mail.subject}"


def _sign_in_lines(account: Account) -> Iterator[str]:
    members = account.memberships.values("user")
    sessions = UserSession.objects.filter(user__in=members).select_related("user")
    for session in sessions.order_by("created_at")[:_MOST_LINES]:
        yield (
            f"{_utc(session.created_at)} {session.user.email} from {session.ip}, "
            f"last seen {_utc(session.last_seen_at)}"
        )


def _usage_lines(payment: Payment) -> tuple[str, ...]:
    """Return the jobs that drew on the very grants of a payment."""
    wallets = {grant.wallet_id for grant in payment.grants}
    draws = list(
        GrantDraw.objects.filter(entry__wallet__in=wallets, entry__kind__in=_JOBS)
        .filter(grant__in=payment.grants, credits__lt=0)
        .select_related("entry")
        .order_by("entry__occurred_at", F("entry_id"))[:_MOST_LINES]
    )
    jobs = statements.lines_of([draw.entry_id for draw in draws])
    return tuple(
        f"{_utc(draw.entry.occurred_at)} {draw.entry.member or draw.entry.actor}: "
        f"{'; '.join(line.text for line in jobs[draw.entry_id])}, "
        f"{-draw.credits} credits"
        for draw in draws
    )


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
