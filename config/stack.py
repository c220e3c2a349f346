"""Room for the calls of a whole page, so that a deep loop does not pay for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    GetResponse = Callable[[HttpRequest], HttpResponse]

# Eight bytes each. CPython's stack of calls comes in pieces of a power of two; what is
# left of this frame's piece, 128 KB, is a few times what the deepest page needs.
_WORDS = 16_000


def roomy(get_response: GetResponse) -> GetResponse:
    """Answer from within a frame so wide that all further calls fit into its piece.

    Pieces have 16 KB otherwise, and each is fetched from the system when a call crosses
    the end of the last, and given back when it returns. A loop of a template that lies
    just there paid that for all it called: a quarter of a statement's time.

    Source: python/cpython#142183. Later 3.13 and 3.14 keep a piece at hand.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    answer.__code__ = answer.__code__.replace(co_stacksize=_WORDS)
    return answer
