"""Whether the books are right after all that load, and nothing acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.lab import Lab

_TWICE = """
SELECT count(*) FROM (
    SELECT FROM credits_ledgerentry GROUP BY wallet_id, idempotency_key
    HAVING count(*) > 1
) AS twice
"""
_ENTRIES = "SELECT count(*) FROM credits_ledgerentry"


def problems(lab: Lab, accepted: Mapping[str, int]) -> list[str]:
    """Return what is wrong; `accepted`: answers of 201, by the start of their keys."""
    from credits import audits  # noqa: PLC0415 - it needs the settings

    # The load is over: statistics may come now, and the checks are long queries.
    lab.admin.execute("ANALYZE")
    found = [f"{finding.check}: {finding.text}" for finding in audits.verify()]
    if twice := _count(lab, _TWICE):
        found.append(f"{twice} keys were accepted twice")
    entries = _count(lab, _ENTRIES)
    if entries != lab.entries:
        found.append(f"{entries} entries, but {lab.entries} commands were accepted")
    for name, answers in accepted.items():
        kept = _count(lab, f"{_ENTRIES} WHERE idempotency_key LIKE %s", f"api:{name}-%")
        if kept != answers:
            found.append(f"{name}: {answers} answers of 201, {kept} entries")
    return found


def _count(lab: Lab, query: str, *parameters: str) -> int:
    row = lab.admin.execute(query.encode(), parameters or None).fetchone()
    return int(row[0]) if row else 0
