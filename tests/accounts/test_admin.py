from __future__ import annotations

import pytest

from tests.factories import make_user

pytestmark = pytest.mark.django_db

MODELS = [
    "account",
    "auditevent",
    "invitation",
    "membership",
    "notice",
    "servicekey",
    "user",
]


@pytest.fixture
def ada():
    """A superuser: even she only reads here."""
    return make_user("ada@example.com", is_staff=True, is_superuser=True)


class TestAdmin:
    @pytest.mark.parametrize("address", ["/admin/", "/admin/login/"])
    def test_has_no_sign_in_of_its_own(self, client, address):
        response = client.get(address, follow=True)

        assert response.request["PATH_INFO"] == "/accounts/login/"

    def test_refuses_those_who_are_not_staff(self, alice, as_user):
        client = as_user(alice)

        assert client.get("/admin/", follow=True).status_code == 403

    @pytest.mark.parametrize("model", MODELS)
    def test_shows_rows_and_changes_none(self, ada, as_user, account, model):
        client = as_user(ada)

        assert client.get(f"/admin/accounts/{model}/").status_code == 200
        assert client.get(f"/admin/accounts/{model}/add/").status_code == 403

    def test_has_no_button_that_writes(self, ada, alice, as_user):
        client = as_user(ada)
        page = client.get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()

        assert "alice@example.com" in page
        assert alice.password not in page
        assert 'name="_save"' not in page
        assert (
            client.post(f"/admin/accounts/user/{alice.pk}/delete/").status_code == 403
        )
