"""The pages that people see: hosted checkout, receipt, index."""

from __future__ import annotations
