"""What finance reads: credits owed, revenue, what is deferred, cash and the journal.

Every report is a function of a period [start, end) or an instant; a row is dated by its
accounting instant, so that closed months stay as they were (R93). Credits are whole,
money is in cents. A `drill` names the rows behind a number: give it to `drilling`.
"""

from __future__ import annotations
