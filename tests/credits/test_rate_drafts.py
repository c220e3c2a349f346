"""Drafts of rates: edited by one at a time, published once, and then for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts.models import AuditEvent, Notice
from accounts.roles import StaffGroup
from credits import quoting, rate_cards, rate_drafts, rate_notices
from credits.core.rating import JobLine
from credits.drafting import DraftMoved, DraftRefused
from credits.models import DraftState, Rate, RateCard, RateDraft
from credits.rate_cards import RateLine
from tests.conftest import NOW
from tests.credits.rate_drafting import begin, publish, set_rates, use
from tests.factories import make_account, make_staff, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rates")]
DAY = timedelta(days=1)
LOOK = RateLine("look", "Look", "PIECE", 2, 1, "look")
SONG = RateLine("song", "Song", "MILLISECOND", 6, 60_000, "minute")


@pytest.fixture
def ada():
    return make_staff(StaffGroup.ADMIN)


@pytest.fixture
def draft(ada):
    return begin(ada)


@pytest.fixture
def dearer(draft, ada):
    return set_rates(draft, ada, look=(2, 1))


def price_of(feature, at, quantity=1):
    lines = [JobLine(feature, quantity)]
    return quoting.quote(lines=lines, rate_plan="standard", at=at).credits


def changed(draft):
    return {
        change.feature: (
            change.before and change.before.credits,
            change.after and change.after.credits,
        )
        for change in rate_drafts.changes_of(draft)
        if change.is_changed
    }


class TestBegin:
    def test_takes_over_the_rates_of_the_last_card(self, draft):
        assert draft.based_on == RateCard.objects.get(rate_plan="standard")
        assert changed(draft) == {}

    def test_follows_a_card_that_is_still_to_come(self, dearer, ada):
        dearer.starts_at = NOW + DAY
        dearer.save()
        coming = publish(dearer, ada)

        assert begin(ada).based_on == coming

    def test_wants_a_rate_plan_that_there_is(self, ada):
        with pytest.raises(DraftRefused):
            begin(ada, "premium")


class TestSetRate:
    def test_changes_nothing_that_is_published(self, dearer):
        assert changed(dearer) == {"look": (1, 2)}
        assert Rate.objects.get(feature="look", rate_card=dearer.based_on).credits == 1

    def test_adds_a_feature_at_the_end(self, draft, ada):
        rate_drafts.set_rate(draft, SONG, seen=draft.digest, by=ada, at=NOW)

        draft.refresh_from_db()
        assert changed(draft) == {"song": (None, 6)}
        assert draft.lines[-1]["feature"] == "song"

    def test_overwrites_nobody(self, draft, ada):
        seen = draft.digest
        set_rates(draft, ada, look=(2, 1))

        with pytest.raises(DraftMoved, match="Something has changed"):
            rate_drafts.set_rate(draft, SONG, seen=seen, by=ada, at=NOW)

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"feature": "Look 2"}, "code is words"),
            ({"feature": "given-back"}, "code is words"),
            ({"unit": "MILLISECOND", "shown_per": "minute"}, "keeps what it counts"),
            ({"credits": -1}, "some credits"),
            ({"credits": 10**6 + 1}, "some credits"),
            ({"per": 0}, "some credits"),
            ({"shown_per": "minute"}, "by its own word"),
            ({"credits": 1, "per": 3}, "whole number of credits per look"),
        ],
        ids=str,
    )
    def test_refuses_what_cannot_be(self, draft, ada, wrong, why):
        line = replace(LOOK, **wrong)

        with pytest.raises(DraftRefused, match=why):
            rate_drafts.set_rate(draft, line, seen=draft.digest, by=ada, at=NOW)

    def test_refuses_a_rate_of_time_that_is_shown_rounded(self, draft, ada):
        line = replace(SONG, credits=1, per=7_000)

        with pytest.raises(DraftRefused, match="whole number of credits per minute"):
            rate_drafts.set_rate(draft, line, seen=draft.digest, by=ada, at=NOW)

    def test_is_written_down(self, dearer, ada):
        event = AuditEvent.objects.get(action="rate_draft.rate_set")

        assert (event.actor, event.before["credits"], event.after["credits"]) == (
            *(ada.email, 1, 2),
        )


class TestPublish:
    def test_is_in_force_from_its_start(self, dearer, ada):
        start = NOW + DAY
        rate_drafts.set_start(dearer, start, seen=dearer.digest, by=ada, at=NOW)
        dearer.refresh_from_db()

        card = publish(dearer, ada)

        assert (card.version, card.starts_at) == (2, start)
        before = price_of("look", start - timedelta(microseconds=1))
        assert (before, price_of("look", start)) == (1, 2)

    def test_is_in_force_at_once_without_one(self, dearer, ada):
        publish(dearer, ada, at=NOW + DAY)

        assert price_of("look", NOW + DAY) == 2

    def test_happens_once(self, dearer, ada):
        publish(dearer, ada)

        with pytest.raises(DraftMoved):
            publish(dearer, ada)

        assert RateCard.objects.filter(rate_plan="standard").count() == 2

    def test_wants_what_was_shown(self, dearer, ada):
        with pytest.raises(DraftMoved):
            publish(dearer, ada, seen="another")

    def test_is_refused_when_another_was_published_meanwhile(self, dearer, ada):
        other = set_rates(begin(ada), ada, image=(3, 1))
        publish(other, ada)

        with pytest.raises(DraftRefused, match="standard v2 was published meanwhile"):
            publish(dearer, ada, at=NOW + DAY)

    def test_is_refused_when_the_start_has_passed(self, dearer, ada):
        start = NOW + DAY
        rate_drafts.set_start(dearer, start, seen=dearer.digest, by=ada, at=NOW)
        dearer.refresh_from_db()

        with pytest.raises(DraftRefused, match="has passed"):
            publish(dearer, ada, at=start + timedelta(microseconds=1))

    def test_is_refused_when_nothing_changes(self, draft, ada):
        with pytest.raises(DraftRefused, match="changes nothing"):
            publish(draft, ada)

    def test_never_gives_two_cards_one_version(self, dearer, ada):
        publish(dearer, ada)
        legacy = set_rates(begin(ada, "legacy"), ada, look=(2, 1))

        assert publish(legacy, ada).version == 3

    def test_leaves_the_file_as_it_is(self, dearer, ada):
        publish(dearer, ada)

        assert [rate_cards.publish(card, at=NOW) for card in rate_cards.read()] == [
            *(False, False)
        ]

    def test_is_written_down(self, dearer, ada):
        publish(dearer, ada)

        event = AuditEvent.objects.get(action="rate_draft.published")
        assert (event.reason, event.after["card"]) == ("Costs rose", "standard v2")
        assert event.after["shown"] == dearer.digest


class TestClosedDraft:
    @pytest.fixture
    def withdrawn(self, dearer, ada):
        rate_drafts.withdraw(dearer, by=ada, at=NOW)
        return RateDraft.objects.get()

    def test_cannot_be_published(self, withdrawn, ada):
        with pytest.raises(DraftMoved):
            publish(withdrawn, ada)

    @pytest.mark.parametrize(
        "change", [{"lines": []}, {"state": DraftState.OPEN, "closed_at": None}]
    )
    def test_is_never_changed_in_the_database(self, withdrawn, change):
        with (
            pytest.raises(DatabaseError, match="is append-only"),
            transaction.atomic(),
        ):
            RateDraft.objects.update(**change)

    def test_is_never_deleted(self, withdrawn):
        with (
            pytest.raises(DatabaseError, match="is append-only"),
            transaction.atomic(),
        ):
            withdrawn.delete()

    def test_is_published_only_as_a_card(self, draft, ada):
        with (
            pytest.raises(IntegrityError, match="published_is_a_card"),
            transaction.atomic(),
        ):
            RateDraft.objects.update(
                state=DraftState.PUBLISHED, closed_by=ada, closed_at=NOW
            )


class TestTelling:
    @pytest.fixture
    def customers(self):
        wallets = {}
        for name, feature in (("Up", "look"), ("Down", "veo-3"), ("Too", "look")):
            account = make_account(name, billing_email=f"{name}@example.com")
            wallets[name] = make_wallet(account, grants={"a": (1_000, None)})
            use(wallets[name], [(feature, 5)], at=NOW)
        return wallets

    @pytest.fixture
    def published(self, customers, draft, ada):
        draft = set_rates(draft, ada, look=(2, 1), veo_3=(80, 1))
        publish(draft, ada, at=NOW + DAY, tells_customers=True)
        return draft

    def tell(self, limit=10):
        return rate_notices.tell_rate_changes(limit=limit, at=NOW + 2 * DAY)

    def told(self):
        return sorted(Notice.objects.values_list("recipient", flat=True))

    def test_reaches_those_whose_cost_rises(self, published):
        self.tell()

        assert self.told() == ["Too@example.com", "Up@example.com"]

    def test_names_their_own_figure(self, published):
        self.tell()

        notice = Notice.objects.get(recipient="Up@example.com")
        assert notice.subject == "What jobs of Up cost changes on 11 Mar 2026"
        assert "were charged 5 credits" in notice.text
        assert "would have cost 10 credits" in notice.text

    def test_goes_on_where_it_stopped_and_ends(self, published):
        steps = [self.tell(limit=2) for _ in range(3)]

        assert steps == [2, 1, 0]
        assert self.told() == ["Too@example.com", "Up@example.com"]

    def test_happens_only_if_it_is_wanted(self, customers, dearer, ada):
        publish(dearer, ada, at=NOW + DAY)

        assert (self.tell(), self.told()) == (0, [])
