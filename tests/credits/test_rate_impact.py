"""What a draft would have cost: each line rated again, as the rating core rates it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection

from accounts.roles import StaffGroup
from credits import ledger, rate_drafts, rate_impact
from credits.core.amounts import MAX_QUANTITY
from credits.core.rating import ExactRate
from credits.models import UsageLine
from credits.rate_drafts import MAX_PER, MAX_RATE_CREDITS
from tests.conftest import NOW
from tests.credits.rate_drafting import begin, set_rates, use
from tests.factories import make_account, make_staff, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rates")]
DAY = timedelta(days=1)
LATER = NOW + 10 * DAY
FEATURES = ("avatar-iii", "avatar-iv", "look", "seedance-2", "speech", "veo-3")

RATED = """
    SELECT {price}
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS line (quantity, n)
    JOIN unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS rate (credits, per, n)
        USING (n)
    ORDER BY n
"""


@pytest.fixture
def ada():
    return make_staff(StaffGroup.ADMIN)


class TestEachLine:
    def test_costs_what_a_plain_loop_says(self, ada):
        random = Random(96)  # noqa: S311
        wallets = [make_wallet(grants={"a": (10**6, None)}) for _ in range(4)]
        for n in range(120):
            features = random.sample(FEATURES, random.randint(1, 3))
            lines = [(one, random.randint(1, 200_000)) for one in features]
            lines = [(f, q % 40 + 1 if f in {"look", "veo-3"} else q) for f, q in lines]
            at = NOW + timedelta(hours=random.randint(0, 239))
            use(random.choice(wallets), lines, at=at, key=f"job{n}")
        draft = set_rates(
            begin(ada),
            ada,
            avatar_iii=(7, 60_000),
            avatar_iv=(0, 3_000),
            look=(3, 1),
            speech=(2, 300_000),
        )

        found = {
            (each.wallet.pk, one.feature): (one.charged, one.drafted)
            for each in rate_impact.customers_of(draft, at=LATER)
            for one in each.features
        }

        rates = {
            line.feature: ExactRate(line.credits, line.per)
            for line in rate_drafts.lines_of(draft)
        }
        charged, drafted = Counter(), Counter()
        for line in UsageLine.objects.all():
            charged[line.wallet_id, line.feature] += line.credits
            drafted[line.wallet_id, line.feature] += rates[line.feature].cost(
                line.quantity
            )
        assert found == {key: (charged[key], drafted[key]) for key in charged}

    def test_is_rated_in_the_database_as_in_the_core(self):
        random = Random(6)  # noqa: S311
        cases = [
            (
                random.choice([0, 1, 10 ** random.randint(0, 12), MAX_QUANTITY]),
                random.choice([0, 1, random.randint(1, 1_000), MAX_RATE_CREDITS]),
                random.choice([1, random.randint(1, 300_000), MAX_PER]),
            )
            for _ in range(3_000)
        ]

        with connection.cursor() as cursor:
            cursor.execute(
                RATED.format(price=rate_impact.PRICE),
                [list(column) for column in zip(*cases, strict=True)],
            )
            rated = [cost for (cost,) in cursor.fetchall()]

        assert rated == [ExactRate(c, per).cost(q) for q, c, per in cases]

    def test_of_a_feature_that_ends_would_be_refused(self, ada):
        use(make_wallet(grants={"a": (100, None)}), [("look", 5)])
        draft = begin(ada)
        rate_drafts.end_feature(draft, "look", seen=draft.digest, by=ada, at=NOW)
        draft.refresh_from_db()

        impact = rate_impact.impact_of(draft, at=LATER)

        look = impact.features["look"]
        assert (look.charged, look.drafted, look.refused) == (5, 0, 1)


class TestCustomer:
    def test_is_charged_what_the_ledger_says(self, ada):
        wallet = make_wallet(grants={"a": (100, None)})
        use(wallet, [("look", 5)])
        job = use(wallet, [("look", 20), ("avatar-iii", 60_000)])
        ledger.reverse(
            entry_id=job.entry_id,
            credits=4,
            idempotency_key="back",
            actor="test",
            reason="",
            at=NOW + DAY,
        )
        draft = set_rates(begin(ada), ada, look=(2, 1))

        [customer] = rate_impact.customers_of(draft, at=LATER)

        assert customer.cost.charged == 5 + 23 - 4
        assert customer.cost.difference == 25
        assert customer.cost.percent == 104

    def test_is_judged_by_the_last_30_days(self, ada):
        wallet = make_wallet(grants={"a": (100, None)})
        use(wallet, [("look", 1)], at=NOW)
        use(wallet, [("look", 10)], at=NOW + timedelta(microseconds=1))
        use(wallet, [("look", 30)], at=NOW + 30 * DAY)

        [customer] = rate_impact.customers_of(
            begin(ada), at=NOW + 30 * DAY + timedelta(microseconds=1)
        )

        assert customer.cost.charged == 40

    def test_may_run_out_before_the_cycle_ends(self, ada):
        wallet = make_wallet(grants={"a": (100, 30 * DAY)})
        ledger.set_terms(
            wallet_id=wallet.pk,
            spending_block=None,
            way_forward="",
            cycle_starts_at=NOW,
            cycle_ends_at=NOW + 30 * DAY,
        )
        use(wallet, [("look", 30)])
        draft = set_rates(begin(ada), ada, look=(2, 1))

        [customer] = rate_impact.customers_of(draft, at=LATER)

        # 70 are left for 20 days: 60 at 3 a day, and 120 at 6.
        assert (customer.runs_out, customer.would_run_out) == (False, True)
        assert customer.would_run_out_at == LATER + timedelta(days=70 / 6)

    def test_of_another_rate_plan_is_not_asked(self, ada):
        use(make_wallet(grants={"a": (100, None)}), [("look", 5)])

        assert list(rate_impact.customers_of(begin(ada, "legacy"), at=LATER)) == []


class TestImpact:
    def test_adds_everybody_up_and_names_the_most_concerned_first(self, ada):
        for name, looks, avatars in (("Up", 5, 0), ("Most", 9, 0), ("Down", 0, 1)):
            wallet = make_wallet(make_account(name), grants={"a": (100, None)})
            use(wallet, [("look", looks)] if looks else [("veo-3", avatars)])
        draft = set_rates(begin(ada), ada, look=(2, 1), veo_3=(80, 1))

        impact = rate_impact.impact_of(draft, at=LATER)

        assert [each.wallet.account.name for each in impact.listed] == [
            *("Most", "Up", "Down")
        ]
        assert (impact.dearer, impact.cheaper, impact.unchanged) == (2, 1, 0)
        assert (impact.total.charged, impact.total.drafted) == (104, 108)
        assert impact.features["look"].difference == 14

    def test_reads_many_wallets_some_at_a_time(
        self, ada, monkeypatch, django_assert_num_queries
    ):
        for _ in range(5):
            use(make_wallet(grants={"a": (100, None)}), [("look", 1)])
        draft = begin(ada)
        monkeypatch.setattr(rate_impact, "_AT_ONCE", 2)

        with django_assert_num_queries(4 + 3 * 3):
            impact = rate_impact.impact_of(draft, at=LATER)

        assert impact.unchanged == 5
