"""POST /debits/batch: an answer for each item, and none harms another (R109)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from json import dumps

import pytest

from accounts.models import Membership, Role, Scope
from credits import rate_cards
from credits.models import Rate, Wallet
from tests.factories import make_account, make_member, make_wallet

pytestmark = pytest.mark.usefixtures("rates", "clock")

LOOKS = [{"feature": "look", "quantity": 5}]


@pytest.fixture
def wallet(db) -> Wallet:
    return make_wallet(
        make_account("Northwind"), {"a": (100, None)}, way_forward="Buy credits."
    )


@pytest.fixture
def caller(caller_for, wallet):
    return caller_for(wallet.account)


def item(wallet, key, lines=LOOKS, **members):
    account = wallet.account.public_id
    return {"key": key, "account": account, "lines": lines, **members}


def post(caller, items):
    return caller.post("/debits/batch", dumps({"items": items}))


def results(caller, items):
    return post(caller, items).json()["results"]


def balance(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestBatch:
    def test_answers_each_item_as_a_single_debit_is_answered(self, caller, wallet):
        member = make_member(wallet.account, Role.MEMBER)

        response = post(
            caller, [item(wallet, "a", reference="job 7", member=member.email)]
        )
        single = caller.post(
            "/debits",
            {
                "account": wallet.account.public_id,
                "lines": LOOKS,
                "reference": "job 7",
                "member": member.email,
            },
            key="a",
        )

        assert response.status_code == 200
        assert response.json()["results"] == [{**single.json(), "status": 201}]
        assert single.status_code == 200

    def test_charges_items_of_many_accounts_in_order(self, caller_for, wallet):
        other = make_wallet(make_account(), {"a": (100, None)})

        answers = results(
            caller_for(),
            [item(wallet, "a"), item(other, "a"), item(wallet, "b"), item(other, "b")],
        )

        assert [answer["balance_after"] for answer in answers] == [95, 95, 90, 90]
        assert [answer["account"] for answer in answers] == [
            wallet.account.public_id,
            other.account.public_id,
        ] * 2

    def test_repeats_first_results(self, caller, wallet):
        [first] = results(caller, [item(wallet, "a")])

        again, twin, new = results(
            caller, [item(wallet, "a"), item(wallet, "a"), item(wallet, "b")]
        )

        assert again == twin == {**first, "status": 200}
        assert (new["status"], balance(wallet)) == (201, 90)

    def test_takes_a_key_once_although_it_is_sent_twice(self, caller, wallet):
        first, twin = results(caller, [item(wallet, "a"), item(wallet, "a")])

        assert (first["status"], twin) == (201, {**first, "status": 200})
        assert balance(wallet) == 95

    def test_lets_no_bad_item_harm_another(self, caller, caller_for, wallet):
        foreign = make_wallet(make_account(), {"a": (100, None)})
        results(caller, [item(wallet, "used")])

        answers = results(
            caller,
            [
                item(wallet, "a"),
                item(wallet, "b", [{"feature": "veo-3", "quantity": 2}]),
                item(wallet, "used", reference="another"),
                item(foreign, "c"),
                item(wallet, "d", [{"feature": "hologram", "quantity": 1}]),
                item(wallet, "e", member="nobody@nowhere.example"),
                item(wallet, "f", [{"feature": "model-training", "quantity": 10**12}]),
                item(wallet, "g"),
            ],
        )

        assert [(answer["status"], answer.get("type")) for answer in answers] == [
            (201, None),
            (402, "/api/v1/problems/insufficient-credits"),
            (409, "/api/v1/problems/idempotency-conflict"),
            (404, "/api/v1/problems/not-found"),
            (422, "/api/v1/problems/invalid-request"),
            (422, "/api/v1/problems/invalid-request"),
            (422, "/api/v1/problems/invalid-request"),
            (201, None),
        ]
        assert answers[1] == {
            "type": "/api/v1/problems/insufficient-credits",
            "title": "Not enough credits",
            "status": 402,
            "detail": "This needs 180 credits and 90 are available.",
            "needed": 180,
            "available": 90,
            "way_forward": "Buy credits.",
        }
        assert [balance(wallet), balance(foreign)] == [85, 100]

    @pytest.mark.parametrize(
        ("bad", "pointers"),
        [
            ({"key": ""}, ["#/key"]),
            ({"key": "\u0000"}, ["#/key"]),
            ({"key": "k" * 101}, ["#/key"]),
            ({"lines": []}, ["#/lines"]),
            ({"lines": [{"feature": "look", "quantity": 0}]}, ["#/lines/0/quantity"]),
            ({"reference": "\ud800", "price": 1}, ["#/reference", "#/price"]),
            ({"account": 7}, ["#/account"]),
        ],
    )
    def test_names_what_does_not_fit_in_an_item(self, caller, wallet, bad, pointers):
        refused, charged = results(caller, [item(wallet, "a") | bad, item(wallet, "b")])

        assert refused["status"] == 422
        assert [error["pointer"] for error in refused["errors"]] == pointers
        assert charged["status"] == 201

    @pytest.mark.parametrize("bad", [None, 7, "text", [], {}])
    def test_says_that_an_item_is_no_job(self, caller, wallet, bad):
        refused, charged = results(caller, [bad, item(wallet, "b")])

        assert (refused["status"], charged["status"]) == (422, 201)

    @pytest.mark.parametrize("count", [0, 201])
    def test_has_1_to_200_items(self, caller, wallet, count):
        items = [item(wallet, str(n)) for n in range(count)]

        response = post(caller, items)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "#/items"

    def test_needs_as_many_queries_for_many_as_for_one(
        self, caller, wallet, django_assert_num_queries
    ):
        member = make_member(wallet.account, Role.MEMBER).email
        items = [item(wallet, str(n), member=member) for n in range(20)]
        for _ in range(2):
            post(caller, items[:10])

        # Key, wallets, members, the call; entries and lines of what is repeated.
        with django_assert_num_queries(6):
            post(caller, items)

    def test_needs_the_scope_to_spend(self, caller_for, wallet):
        reader = caller_for(wallet.account, [Scope.CREDITS_HOLD])

        assert post(reader, [item(wallet, "a")]).status_code == 403


class TestDebitThatIsOutdated:
    """What was accepted once is told again, although it would be refused now."""

    @pytest.fixture
    def sent(self, caller, wallet):
        member = make_member(wallet.account, Role.MEMBER, "ann@northwind.example")
        return item(wallet, "k", member=member.email)

    def test_because_the_member_has_left(self, caller, wallet, sent):
        first = debit(caller, sent)
        Membership.objects.all().delete()

        again = debit(caller, sent)

        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert balance(wallet) == 95

    def test_because_the_feature_has_no_rate_any_more(
        self, caller, wallet, sent, clock
    ):
        first = debit(caller, sent)
        retire_looks(clock)

        again = debit(caller, sent)
        [in_a_batch] = results(caller, [sent])

        assert (again.status_code, again.content) == (200, first.content)
        assert in_a_batch == {**first.json(), "status": 200}

    @pytest.mark.parametrize(
        "changed",
        [
            {"lines": [{"feature": "look", "quantity": 6}]},
            {"reference": "another"},
            {"member": "bob@northwind.example"},
            {"member": None},
        ],
    )
    def test_but_another_request_under_the_key_is_a_conflict(
        self, caller, wallet, sent, clock, changed
    ):
        debit(caller, sent)
        retire_looks(clock)

        response = debit(caller, sent | changed)

        assert response.status_code == 409
        assert balance(wallet) == 95

    def test_and_a_new_one_is_refused(self, caller, sent, clock):
        retire_looks(clock)

        assert debit(caller, sent).status_code == 422


def debit(caller, item):
    job = {name: value for name, value in item.items() if name != "key"}
    return caller.post("/debits", job, key=item["key"])


def retire_looks(clock) -> None:
    card, _ = rate_cards.read()
    lines = tuple(line for line in card.lines if line.feature != "look")
    clock.advance(timedelta(minutes=1))
    rate_cards.publish(
        replace(card, version=2, starts_at=clock.at, lines=lines), at=clock.at
    )
    assert not Rate.objects.filter(rate_card__version=2, feature="look").exists()
