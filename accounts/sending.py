"""Sending what the outbox holds: each notice by one worker at a time.

A worker claims a notice by moving its next attempt into the future and committing
that; then it sends, outside any transaction; then it records. A crash between
sending and recording lets the lease run out, and that one notice is sent again.

A mail server that is down is asked again until it is back. What it refuses for good is
tried for a day, and then given up: somebody has to hear that it did not arrive.
"""

from __future__ import annotations

import re
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import TYPE_CHECKING

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.dispatch import Signal

from accounts.models import Notice

if TYPE_CHECKING:
    from datetime import datetime

# Several times longer than EMAIL_TIMEOUT lets one sending take.
_LEASE = timedelta(minutes=5)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_DOUBLINGS = 9  # 2 ** 9 minutes is past the longest wait
# What looks like a wrong address may be a wrong setting of ours: time to notice it.
_PATIENCE = timedelta(days=1)
_FOR_GOOD = 500  # codes of SMTP from here on
_INVITATION_TOKEN = re.compile(r"(/invitations/)[\w-]{22}")

log = structlog.get_logger(__name__)

# Sent when a notice is given up, in the same transaction: `notice`, `at`.
notice_given_up = Signal()


def send_next(*, at: datetime) -> bool:
    """Send the notice that has been due longest; return whether there was one."""
    notice = _claim(at=at)
    if notice is None:
        return False
    try:
        _send(notice)
    except (OSError, ValueError) as failure:  # SMTPException is an OSError
        notice.last_error = _in_words(failure)[:500]
        if _is_for_good(failure) and at - notice.created_at >= _PATIENCE:
            _give_up(notice, at=at)
        else:
            _postpone(notice, at=at)
    else:
        _record_sent(notice, at=at)
    return True


@transaction.atomic(durable=True)
def _claim(*, at: datetime) -> Notice | None:
    due = Notice.objects.filter(sent_at=None, given_up_at=None, next_attempt_at__lte=at)
    notice = (
        due.select_for_update(skip_locked=True)
        .order_by("next_attempt_at", "pk")
        .first()
    )
    if notice:
        notice.attempts += 1
        notice.next_attempt_at = at + _LEASE
        notice.save(update_fields=["attempts", "next_attempt_at"])
    return notice


def _send(notice: Notice) -> None:
    message = EmailMultiAlternatives(notice.subject, notice.text, to=[notice.recipient])
    message.attach_alternative(notice.html, "text/html")
    message.send()


def _is_for_good(failure: Exception) -> bool:
    """Whether it is this mail that is refused: not its server, which may come back."""
    no_address = isinstance(failure, ValueError)
    answers = _answers(failure)
    return no_address or (bool(answers) and min(answers)[0] >= _FOR_GOOD)


def _in_words(failure: Exception) -> str:
    answers = _answers(failure)
    if not answers:
        return f"{type(failure).__name__}: {failure}"
    return "; ".join(
        f"{code} {said.decode(errors='replace')}" for code, said in answers
    )


def _answers(failure: Exception) -> list[tuple[int, bytes]]:
    """Return what the server said of this mail: codes and their texts."""
    if isinstance(failure, SMTPRecipientsRefused):
        return list(failure.recipients.values())
    if isinstance(failure, SMTPDataError):
        said = failure.smtp_error
        return [(failure.smtp_code, said.encode() if isinstance(said, str) else said)]
    return []


@transaction.atomic
def _give_up(notice: Notice, *, at: datetime) -> None:
    notice.given_up_at = at
    _forget_secrets(notice)
    notice.save(update_fields=["given_up_at", "last_error", "text", "html"])
    notice_given_up.send(sender=None, notice=notice, at=at)
    log.error("notice_given_up", notice=notice.pk, error=notice.last_error)


def _postpone(notice: Notice, *, at: datetime) -> None:
    doublings = min(notice.attempts - 1, _DOUBLINGS)
    notice.next_attempt_at = at + min(_FIRST_WAIT * 2**doublings, _LONGEST_WAIT)
    notice.save(update_fields=["next_attempt_at", "last_error"])
    log.warning("notice_not_sent", notice=notice.pk, error=notice.last_error)


def _record_sent(notice: Notice, *, at: datetime) -> None:
    notice.sent_at = at
    _forget_secrets(notice)
    notice.save(update_fields=["sent_at", "text", "html"])


def _forget_secrets(notice: Notice) -> None:
    """Keep what was said, and the secret in it nowhere but in the mailbox."""
    notice.text = _INVITATION_TOKEN.sub(r"\1…", notice.text)
    notice.html = _INVITATION_TOKEN.sub(r"\1…", notice.html)
