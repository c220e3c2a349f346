"""The product API: what the product's own backend asks, and how it spends credits."""

from __future__ import annotations

from django.views.decorators.http import require_GET
from ninja import NinjaAPI, Swagger

from credits.api import free_videos, handlers, holding, reading, spending, usage
from credits.api.documents import DocumentedAPI, JsonParser
from credits.api.throttling import PerKey

DESCRIPTION = """
Quote jobs, hold credits while they run, and spend the credits of accounts.

## Keys

Send `Authorization: Bearer prsr_…`. A key of an account reaches that account only; any
other account is a 404. Each key has scopes, and each call below names the one that it
needs.

## Quantities

They are whole numbers in the unit of the feature's rate: `MILLISECOND` for what is
timed, `PIECE` for the rest (`GET /rates` says which). The quantities of one feature in
a job are summed and rounded up once to whole credits.

## Jobs

A short job is charged when it is done: `POST /debits`. For a long one put its credits
on hold first, `POST /holds`, and capture or release them when it ends: what is on hold
can be neither spent nor expire, and the job never costs more than that. A quote is good
for 15 minutes and may be handed to the hold.

Accounts on Free use no credits: their videos are counted, `POST /free-videos`.

## Premium credits

Legacy plans came with packs of premium credits, kept apart and priced by rates of their
own. `unit: premium` means those, in a job as in what is read; without it credits are
meant. Keys are remembered for each unit on its own.

## Idempotency

A request that moves credits needs an `Idempotency-Key`, kept as long as the ledger;
each item of a batch has its own. The same request under the same key is answered with
the first result, status 200 and `Idempotent-Replayed: true`; another request under it
is a 409. A request that was refused (402, 422) keeps nothing and may be repeated with
its key. After a timeout, a 429 or a 5xx repeat it with its key.

## Errors

They are problem documents (RFC 9457): branch on `type`. Where something can be done
about it, `way_forward` says what, in words for the customer.
"""

# The page is for reading: it sends nothing, not even to a validator elsewhere. Links
# would be inside of buttons, and the colors of samples too pale.
PAGE = {
    "deepLinking": False,
    "defaultModelsExpandDepth": -1,
    "supportedSubmitMethods": [],
    "syntaxHighlight": False,
    "validatorUrl": None,
}

api: NinjaAPI = DocumentedAPI(
    title="Purser",
    version="1.0.0",
    description=DESCRIPTION.strip(),
    urls_namespace="api",
    parser=JsonParser(),
    throttle=[PerKey()],
    docs=Swagger(settings=PAGE),
    docs_decorator=require_GET,
)
handlers.install(api)
api.add_router("", reading.router)
api.add_router("", spending.router)
api.add_router("", holding.router)
api.add_router("", free_videos.router)
api.add_router("", usage.router)
