"""How pages ask for news: often at first, then patiently, then no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

_EAGER_POLLS, _PATIENT_POLLS = 15, 27
_EAGER_PAUSE_S, _PATIENT_PAUSE_S = 2, 10


def polling(request: HttpRequest) -> dict[str, object]:
    """Return what a fragment needs that asks for its successor by itself."""
    given = request.GET.get("polls", "")
    polls = int(given) if given.isdecimal() and len(given) < 5 else 0
    return {
        "next_poll": polls + 1,
        "pause_s": _EAGER_PAUSE_S if polls < _EAGER_POLLS else _PATIENT_PAUSE_S,
        "has_patience": polls < _EAGER_POLLS + _PATIENT_POLLS,
    }
