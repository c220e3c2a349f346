"""Webhooks to the product's backend, signed as Standard Webhooks are.

What is told is written in the transaction of what happened, and sent by a task: at
least once, in no promised order. docs/webhooks.md is what receivers read.
"""

from __future__ import annotations
