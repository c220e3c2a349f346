"""Every event that the sandbox tells of is one of Stripe's."""

from __future__ import annotations

import re
from pathlib import Path

import stripe_sandbox
from stripe_sandbox.contract.operations import operations

TOLD = re.compile(r'(?:event=|emit\(\s*|@reaction\()"([a-z_]+(?:\.[a-z_]+)+)"')


def told() -> list[str]:
    files = Path(stripe_sandbox.__file__).parent.rglob("*.py")
    return sorted({name for file in files for name in TOLD.findall(file.read_text())})


class TestEventTypes:
    def test_can_be_listened_to(self):
        listening = operations()["POST", "/v1/webhook_endpoints"]
        events = {str(place): name for place, name in enumerate(told())}

        read = listening.read({"url": "https://a.example", "enabled_events": events})

        assert read["enabled_events"] == told()
        assert len(told()) > 40
