"""Which keys may do what with whose holds."""

from __future__ import annotations

import pytest

from accounts.models import Scope
from tests.credits.api_holds.conftest import MIN_12_S, body, not_found, place
from tests.factories import make_account, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")


class TestAccess:
    @pytest.mark.parametrize("path", ["", "/extend", "/capture", "/release"])
    def test_needs_the_scope_to_hold(self, caller_for, caller, wallet, path):
        hold = place(caller, wallet)
        reader = caller_for(wallet.account, [Scope.CREDITS_SPEND, Scope.CREDITS_READ])

        response = send(reader, hold, path)

        assert response.status_code == 403
        assert response.json()["scope"] == "credits:hold"

    def test_needs_the_scope_to_place_one(self, caller_for, wallet):
        spender = caller_for(wallet.account, [Scope.CREDITS_SPEND])

        assert spender.post("/holds", body(wallet), key="k").status_code == 403

    @pytest.mark.parametrize("path", ["", "/extend", "/capture", "/release"])
    @pytest.mark.parametrize("hold", ["foreign", "hld_0", "%00", "hld_é", "1"])
    def test_knows_no_hold_of_another_account(
        self, caller, caller_for, wallet, path, hold
    ):
        place(caller, wallet)
        if hold == "foreign":
            other = make_wallet(make_account(), {"a": (50, None)})
            hold = place(caller_for(), other)

        response = send(caller, hold, path)

        assert response.json() == not_found("There is no such hold.")

    def test_places_none_for_another_account(self, caller):
        other = make_wallet(make_account(), {"a": (50, None)})

        response = caller.post("/holds", body(other), key="k")

        assert response.json() == not_found("There is no such account.")


def send(caller, hold, path):
    bodies = {
        "/extend": {},
        "/capture": {"lines": MIN_12_S},
        "/release": {"cause": "failed"},
    }
    if path not in bodies:
        return caller.get(f"/holds/{hold}")
    return caller.post(f"/holds/{hold}{path}", bodies[path], key="k")
