"""Our books beside Stripe's: what was missed, what differs, and what repairs it.

Stripe is read in lists, outside any transaction; our side in a few queries, however
much there is. A difference is named once, by one of thirteen kinds; a repair lets the
handler of its webhooks look at the object again. `running` is the way in.
"""

from __future__ import annotations
