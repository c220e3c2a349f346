from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import keys
from accounts.models import ServiceKey
from config.clock import now

CREATE = "/keys/new/"


@pytest.fixture
def issued(account, alice):
    return keys.issue(
        name="Video backend",
        scopes=["credits:spend"],
        account=account,
        by=alice,
        at=now(),
    )


class TestKeyList:
    def test_shows_what_a_key_is_and_not_its_secret(self, alice, as_user, issued):
        page = as_user(alice).get(reverse("accounts:keys")).content.decode()

        assert "Video backend" in page
        assert issued.key.masked in page
        assert issued.secret not in page

    def test_says_what_keys_are_for_when_there_are_none(self, alice, as_user):
        page = as_user(alice).get(reverse("accounts:keys")).content.decode()

        assert "No keys yet" in page

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({"revoked_at": now()}, "Revoked"),
            ({"expires_at": now() - timedelta(days=1)}, "Expired"),
        ],
    )
    def test_says_which_keys_open_nothing(self, alice, as_user, issued, change, state):
        ServiceKey.objects.update(**change)

        page = as_user(alice).get(reverse("accounts:keys")).content.decode()

        assert f">{state}</span>" in page
        assert reverse("accounts:revoke_key", args=[issued.key.public_id]) not in page

    def test_leaves_out_the_operators_keys(self, alice, as_user):
        keys.issue(name="Operator's own", scopes=["rates:read"], at=now())

        page = as_user(alice).get(reverse("accounts:keys")).content.decode()

        assert "Operator" not in page


class TestCreateKey:
    def test_shows_the_secret_once(self, account, alice, as_user):
        client = as_user(alice)

        response = client.post(
            CREATE, {"name": "Batch", "scopes": ["rates:read"], "lifetime": "90"}
        )

        key = ServiceKey.objects.get()
        secret = response.context["issued"].secret
        assert secret in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert keys.authenticate(secret, at=now()) == key
        assert (key.account, key.created_by) == (account, alice)
        again = client.get(reverse("accounts:keys")).content.decode()
        assert secret not in again

    @pytest.mark.parametrize(
        ("lifetime", "days"), [("90", 90), ("365", 365), ("never", None)]
    )
    def test_expires_when_it_was_said_to(self, alice, as_user, lifetime, days):
        as_user(alice).post(
            CREATE, {"name": "Batch", "scopes": ["rates:read"], "lifetime": lifetime}
        )

        expires_at = ServiceKey.objects.get().expires_at
        left = expires_at and round((expires_at - now()) / timedelta(days=1))
        assert left == days

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"name": ""}, "This field is required."),
            ({"scopes": []}, "This field is required."),
            ({"scopes": ["everything"]}, "Select a valid choice."),
            ({"lifetime": "1000000"}, "Select a valid choice."),
        ],
    )
    def test_says_what_is_wrong(self, alice, as_user, change, said):
        posted = {"name": "Batch", "scopes": ["rates:read"], "lifetime": "90"}

        response = as_user(alice).post(CREATE, posted | change)

        assert response.status_code == 422
        assert said in response.content.decode()
        assert not ServiceKey.objects.exists()


class TestRefresh:
    def send(self, client, form_key: str):
        return client.post(
            CREATE,
            {
                "name": "Batch",
                "scopes": ["rates:read"],
                "lifetime": "90",
                "form_key": form_key,
            },
            follow=True,
        )

    def test_of_the_page_makes_no_second_key(self, account, alice, as_user):
        client = as_user(alice)
        self.send(client, "a" * 32)

        again = self.send(client, "a" * 32)

        assert ServiceKey.objects.count() == 1
        assert "It was shown once." in again.content.decode()

    def test_another_form_makes_another_key(self, account, alice, as_user):
        client = as_user(alice)
        self.send(client, "a" * 32)

        self.send(client, "b" * 32)

        assert ServiceKey.objects.count() == 2


class TestRevokeKey:
    def test_takes_the_name_of_the_key(self, alice, as_user, issued):
        address = reverse("accounts:revoke_key", args=[issued.key.public_id])
        client = as_user(alice)

        wrong = client.post(address, {"name": "video backend"})
        still_open = keys.authenticate(issued.secret, at=now())
        right = client.post(address, {"name": "Video backend"})

        assert wrong.status_code == 422
        assert "This is not the name of the key." in wrong.content.decode()
        assert still_open == issued.key
        assert right.status_code == 303
        assert keys.authenticate(issued.secret, at=now()) is None

    def test_says_what_it_means(self, alice, as_user, issued):
        address = reverse("accounts:revoke_key", args=[issued.key.public_id])

        page = as_user(alice).get(address).content.decode()

        assert "A revoked key cannot be brought back." in page
