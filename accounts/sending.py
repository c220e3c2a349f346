"""Sending what the outbox holds: each notice by one worker at a time.

A worker claims a notice by moving its next attempt into the future and committing
that; then it sends, outside any transaction; then it records. A crash between
sending and recording lets the lease run out, and that one notice is sent again.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from accounts.models import Notice

if TYPE_CHECKING:
    from datetime import datetime

# Several times longer than EMAIL_TIMEOUT lets one sending take.
_LEASE = timedelta(minutes=5)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_DOUBLINGS = 9  # 2 ** 9 minutes is past the longest wait
_INVITATION_TOKEN = re.compile(r"(/invitations/)[\w-]{22}")

log = structlog.get_logger(__name__)


def send_next(*, at: datetime) -> bool:
    """Send the notice that has been due longest; return whether there was one."""
    notice = _claim(at=at)
    if notice is None:
        return False
    try:
        _send(notice)
    except (OSError, ValueError) as failure:  # SMTPException is an OSError
        _postpone(notice, failure, at=at)
    else:
        _record_sent(notice, at=at)
    return True


@transaction.atomic(durable=True)
def _claim(*, at: datetime) -> Notice | None:
    due = Notice.objects.filter(sent_at=None, next_attempt_at__lte=at)
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


def _postpone(notice: Notice, failure: Exception, *, at: datetime) -> None:
    doublings = min(notice.attempts - 1, _DOUBLINGS)
    notice.next_attempt_at = at + min(_FIRST_WAIT * 2**doublings, _LONGEST_WAIT)
    notice.last_error = f"{type(failure).__name__}: {failure}"[:500]
    notice.save(update_fields=["next_attempt_at", "last_error"])
    log.warning("notice_not_sent", notice=notice.pk, error=notice.last_error)


def _record_sent(notice: Notice, *, at: datetime) -> None:
    notice.sent_at = at
    # What was said stays; the secret in it is kept nowhere but in the mailbox.
    notice.text = _INVITATION_TOKEN.sub(r"\1…", notice.text)
    notice.html = _INVITATION_TOKEN.sub(r"\1…", notice.html)
    notice.save(update_fields=["sent_at", "text", "html"])
