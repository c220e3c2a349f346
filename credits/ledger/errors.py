"""Why the ledger refuses. Each carries its numbers and a sentence for customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from credits.models import SpendingBlock


class CreditsError(Exception):
    """A command that the ledger refused for a reason that callers can expect."""


class WalletNotFound(CreditsError):
    """No wallet has this id."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("This account has no wallet.")


class GrantNotFound(CreditsError):
    """No grant has this id."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("There is no such grant.")


class HoldNotFound(CreditsError):
    """No hold has this id."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("There is no such hold.")


class InsufficientCredits(CreditsError):
    """The usable grants hold less than the command needs. Nothing was taken."""

    reload: str = ""  # what auto-reload does about it, once it was told (R45)

    def __init__(self, *, needed: int, available: int, way_forward: str) -> None:
        """Remember the numbers and what the account can do about it (R107)."""
        super().__init__(f"This needs {needed} credits and {available} are available.")
        self.needed = needed
        self.available = available
        self.way_forward = way_forward


class SpendingBlocked(CreditsError):
    """The terms of the wallet forbid spending, whatever it holds. Nothing was taken."""

    def __init__(
        self, *, block: SpendingBlock, needed: int, available: int, way_forward: str
    ) -> None:
        """Remember which rule refuses and the way forward (R107)."""
        super().__init__(str(block.label))
        self.block = block
        self.needed = needed
        self.available = available
        self.way_forward = way_forward


class MemberCapReached(CreditsError):
    """It costs more than the member may still use (R87). Nothing was taken."""

    def __init__(self, *, needed: int, cap: int, used: int) -> None:
        """Remember the numbers."""
        super().__init__(
            f"This needs {needed} credits and the member has used {used} of {cap}."
        )
        self.needed = needed
        self.cap = cap
        self.used = used


class NoFreeVideos(CreditsError):
    """The account is not on Free, so it has no counter of free videos (R106)."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Free videos are for accounts on the Free plan.")


class FreeVideoTooLong(CreditsError):
    """A free video is not that long (R106). Nothing was counted."""

    def __init__(self, longest_ms: int) -> None:
        """Remember how long it may be."""
        super().__init__(f"A free video has {longest_ms} milliseconds at most.")
        self.longest_ms = longest_ms


class FreeVideosUsedUp(CreditsError):
    """The month has no more free videos (R106). Nothing was counted."""

    def __init__(
        self, *, quota: int, starts_again_at: datetime, way_forward: str
    ) -> None:
        """Remember when the counter starts again."""
        super().__init__(
            f"Free videos used this month: {quota} of {quota}. The counter starts again"
            f" on {starts_again_at:%Y-%m-%d} (UTC)."
        )
        self.quota = quota
        self.starts_again_at = starts_again_at
        self.way_forward = way_forward


class IdempotencyConflict(CreditsError):
    """The key was used before, for something else (R109). Nothing was changed."""

    def __init__(self, key: str) -> None:
        """Remember the key."""
        super().__init__(
            "This idempotency key was already used for a different request."
        )
        self.key = key


class HoldClosed(CreditsError):
    """The hold was captured, released, or has timed out (R74). Nothing was changed."""

    def __init__(self, state: str) -> None:
        """Remember how it ended."""
        super().__init__("This hold is no longer open.")
        self.state = state


class ExceedsHold(CreditsError):
    """More than the hold still reserves (R71, R73). Nothing was charged."""

    def __init__(self, *, credits: int, rest: int) -> None:
        """Remember what was asked and what is left."""
        super().__init__(f"This hold reserves {rest} more credits, not {credits}.")
        self.credits = credits
        self.rest = rest


class NotEnoughLeft(CreditsError):
    """More than the grant, the entry or the debt still has. Nothing was changed."""

    def __init__(self, credits: int) -> None:
        """Remember what was asked."""
        super().__init__(f"There are fewer than {credits} credits left of it.")
        self.credits = credits


class NotPossible(CreditsError):
    """The grant or entry is not in a state for this. Nothing was changed."""
