"""Every page, light and dark, as wide as a phone, a tablet and a desktop.

Axe finds nothing on it and nothing is wider than the window. That it keeps the
Content-Security-Policy and the console silent is seen to by `new_context`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.urls import URLPattern, get_resolver, resolve, reverse

from accounts.roles import StaffGroup
from config.clock import now
from config.demo import accounts, legacy, people
from tests.browser import (
    adjustments_scene,
    batches_scene,
    catalogue_scene,
    console_scene,
    desks_scene,
    doubts_scene,
    exports_scene,
    finance_scene,
    refunds_scene,
    reload_scene,
    sandbox_scene,
    scene,
    tours,
)
from tests.browser.looking import Look, wear

ERRORS = ("400", "403", "403_csrf", "404", "429", "500", "503")


@pytest.fixture
def page(new_context):
    return new_context(color_scheme="light", reduced_motion="reduce").new_page()


@pytest.fixture
def look(page, check_axe, screenshot, request):
    return Look(page, check_axe, screenshot, occasion=request.node.name)


@pytest.fixture
def take(stack, page, look):
    """Visit the stops of a tour, with what goes into their addresses."""

    def visit(stop, arguments):
        def go():
            path = reverse(stop.name, args=arguments.get(stop.args, ()))
            assert page.goto(path + stop.query).status == stop.status, str(stop)
            if stop.then:
                stop.then(page)
            shown = resolve(urlsplit(page.url).path).view_name
            assert shown == stop.shows, f"{stop} leads to {page.url}"

        return go

    def take(stops, arguments=None):
        look.at_pages([(str(stop), visit(stop, arguments or {})) for stop in stops])

    return take


@pytest.fixture
def northwind(stack):
    return stack.load()


class TestEveryPage:
    def test_for_visitors(self, northwind, take):
        links = scene.at_sign_in() | scene.alerts_of(northwind)

        take(tours.VISITOR, links | scene.team_of(northwind))

    def test_between_password_and_second_factor(self, northwind, take):
        scene.guard(people.BEA)

        take(tours.MIDWAY)

    def test_for_buyers(self, stack, northwind, page, sign_in, take):
        purchases = scene.purchases_of(northwind, stack.sandbox)
        scene.let_in(people.NORA, stack.load(accounts.LUMEN))
        sign_in(page, people.NORA)

        take(tours.BUYER, purchases)

    def test_for_those_who_manage(self, northwind, page, sign_in, take):
        sign_in(page, people.NORA)
        scene.prove_identity(page)

        take(tours.OWNER, scene.team_of(northwind))

    def test_for_those_with_a_second_factor(self, northwind, page, sign_in, take):
        sign_in(page, people.BEA)
        scene.prove_identity(page)
        scene.plug_in_security_key(page)
        scene.add_security_key(page, "Blue key")
        scene.guard(people.BEA)
        key = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN)

        take(tours.GUARDED, {"security key": (key.pk,)})

    def test_for_members(self, northwind, page, sign_in, take):
        sign_in(page, people.MILO)

        take(tours.MEMBER)

    def test_with_a_history(self, stack, page, sign_in, take):
        stack.load(accounts.HARBOR)
        sign_in(page, people.HUGO)

        take(tours.OLD_HAND)

    @pytest.mark.parametrize(
        "described", [accounts.LUMEN, accounts.SOLO], ids=["creator", "free"]
    )
    def test_on_a_plan_without_blocks(self, stack, page, sign_in, take, described):
        stack.load(described)
        [owner] = described.members
        sign_in(page, owner)

        take(tours.WITHOUT_BLOCKS)

    def test_for_those_who_change_plans(self, stack, page, sign_in, take):
        change = scene.on_creator(stack.load(accounts.SOLO), stack.sandbox)
        sign_in(page, people.SAM)

        take(tours.CHANGER, change)

    def test_on_a_legacy_plan(self, stack, page, sign_in, take):
        account = stack.load(accounts.VINTAGE)
        legacy.keep(accounts.VINTAGE, account, at=now())
        sign_in(page, people.VERA)

        take(tours.LEGACY, scene.with_end_taken_back(account))

    @pytest.mark.parametrize(
        "so_far",
        [
            scene.with_open_checkout,
            scene.with_unpaid_upgrade,
            scene.with_cancellation,
            scene.with_new_price,
        ],
    )
    def test_while_a_plan_changes(self, stack, page, sign_in, take, so_far):
        change = so_far(stack.load(accounts.SOLO), stack.sandbox)
        sign_in(page, people.SAM)

        take(tours.PLAN_IN_MOTION, change)

    @pytest.mark.parametrize(
        ("so_far", "tour"),
        [
            (reload_scene.with_a_card, tours.RELOAD_OFF),
            (reload_scene.with_a_reload, tours.RELOAD_ON),
            (reload_scene.with_a_refused_card, tours.RELOAD_ON),
            (reload_scene.with_a_payment_to_confirm, tours.RELOAD_TO_CONFIRM),
        ],
        ids=["off", "on", "paused", "to confirm"],
    )
    def test_with_auto_reload(self, northwind, page, sign_in, take, so_far, tour):
        arguments = so_far(northwind)
        sign_in(page, people.NORA)

        take(tour, arguments)

    def test_without_an_account(self, northwind, page, sign_in, take):
        accounts.make_person(scene.NOOR)
        scene.invite(scene.NOOR.email, to=northwind)
        sign_in(page, scene.NOOR)

        take(tours.NEWCOMER)

    def test_for_staff(self, northwind, page, sign_in, take):
        accounts.make_person(people.STELLA, is_staff=True, is_superuser=True)
        scene.let_in(people.STELLA, northwind)
        sign_in(page, people.STELLA)

        take(tours.STAFF)

    def test_for_staff_at_the_inbox(self, northwind, page, sign_in, take):
        accounts.make_person(people.THEO, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.SUPPORT)
        )
        sign_in(page, people.THEO)

        take(tours.INBOX, scene.inbox_of_staff())

    def test_for_those_whose_payments_are_doubted(
        self, stack, northwind, page, sign_in, take
    ):
        doubted = doubts_scene.doubted_payments(northwind, stack.sandbox)
        sign_in(page, people.NORA)

        take(tours.DOUBTED, doubted)

    def test_for_staff_at_the_dispute_desk(self, stack, northwind, page, sign_in, take):
        doubted = doubts_scene.doubted_payments(northwind, stack.sandbox)
        accounts.make_person(people.THEO, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.FINANCE)
        )
        sign_in(page, people.THEO)

        take(tours.DISPUTES, doubted)

    def test_for_those_who_owe(self, stack, northwind, page, sign_in, take):
        refunded = refunds_scene.refunded_payments(northwind, stack.sandbox)
        sign_in(page, people.NORA)

        take(tours.OWING, refunded)

    def test_for_staff_at_the_refunds(self, stack, northwind, page, sign_in, take):
        refunded = refunds_scene.refunded_payments(northwind, stack.sandbox)
        accounts.make_person(people.AMARA, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.ADMIN)
        )
        sign_in(page, people.AMARA)

        take(tours.REFUNDS, refunded)

    def test_for_staff_who_look_an_account_up(
        self, stack, northwind, page, sign_in, take
    ):
        lived = console_scene.history_of(northwind, stack.sandbox)
        accounts.make_person(people.AMARA, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.ADMIN)
        )
        sign_in(page, people.AMARA)

        take(tours.CONSOLE, lived)

    def test_for_staff_at_the_work_queue(self, northwind, page, sign_in, take):
        accounts.make_person(people.THEO, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.SUPPORT)
        )
        sign_in(page, people.THEO)

        take(tours.QUEUE, console_scene.work_for(northwind, people.THEO))

    def test_for_staff_at_the_adjustment_files(self, northwind, page, sign_in, take):
        amara, theo = (
            accounts.make_person(one, is_staff=True)
            for one in (people.AMARA, people.THEO)
        )
        amara.groups.set(Group.objects.filter(name=StaffGroup.ADMIN))
        sign_in(page, people.AMARA)

        take(tours.BULK_FILES, batches_scene.files_of(northwind, theo, amara))

    def test_for_staff_who_make_good(self, northwind, page, sign_in, take):
        amara, theo = (
            accounts.make_person(one, is_staff=True)
            for one in (people.AMARA, people.THEO)
        )
        amara.groups.set(Group.objects.filter(name=StaffGroup.ADMIN))
        sign_in(page, people.AMARA)

        take(tours.MADE_GOOD, batches_scene.incidents_of(northwind, theo))

    def test_for_staff_at_the_reconciliation(self, northwind, page, sign_in, take):
        accounts.make_person(people.STELLA, is_staff=True, is_superuser=True)
        sign_in(page, people.STELLA)

        take(tours.RECONCILIATION, desks_scene.breaks_of(northwind))

    def test_for_staff_at_the_outgoing_webhooks(self, northwind, page, sign_in, take):
        accounts.make_person(people.STELLA, is_staff=True, is_superuser=True)
        sign_in(page, people.STELLA)

        take(tours.WEBHOOKS, desks_scene.webhooks_of(northwind))

    def test_for_staff_at_the_exports(self, northwind, page, sign_in, take):
        accounts.make_person(people.THEO, is_staff=True).groups.set(
            Group.objects.filter(name=StaffGroup.FINANCE)
        )
        sign_in(page, people.THEO)

        take(tours.EXPORTS, exports_scene.exports_of(people.THEO, northwind))

    def test_for_finance(self, stack, page, sign_in, take):
        stack.load(accounts.HARBOR)
        ines = accounts.make_person(people.INES, is_staff=True)
        ines.groups.set(Group.objects.filter(name=StaffGroup.FINANCE))
        sign_in(page, people.INES)

        take(tours.FINANCE, finance_scene.months_of(ines))

    def test_for_staff_at_the_catalogue(self, stack, page, sign_in, take):
        stack.load(accounts.HARBOR)
        amara = accounts.make_person(people.AMARA, is_staff=True)
        amara.groups.set(Group.objects.filter(name=StaffGroup.ADMIN))
        sign_in(page, people.AMARA)

        take(tours.CATALOGUE, catalogue_scene.drafts_of(amara))

    def test_for_staff_at_the_adjustments(self, northwind, page, sign_in, take):
        theo = accounts.make_person(people.THEO, is_staff=True)
        amara = accounts.make_person(people.AMARA, is_staff=True)
        amara.groups.set(Group.objects.filter(name=StaffGroup.ADMIN))
        sign_in(page, people.AMARA)

        take(
            tours.ADJUSTMENTS,
            adjustments_scene.adjustments_of(northwind, amara, theo),
        )


class TestThemes:
    """What lets the tours load a page once for all themes."""

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_are_put_on_as_by_a_new_load(self, stack, northwind, page, sign_in, theme):
        sign_in(page, people.NORA)
        cookie = {"name": "theme", "value": theme, "url": stack.url}
        for name in ("billing:overview", "accounts:new_account", "account_email"):
            page.context.clear_cookies(name="theme")
            page.goto(reverse(name))
            wear(page, theme)
            put_on = markup_of(page)
            page.context.add_cookies([cookie])
            page.goto(reverse(name))
            assert markup_of(page) == put_on

        reference = page.goto(reverse("api:openapi-view"))
        assert f'data-bs-theme="{theme}"' in reference.text()


class TestOtherPages:
    def test_errors(self, stack, page, look, settings):
        settings.ROOT_URLCONF = "tests.browser.showroom"

        look.at_pages(
            [
                (error, lambda error=error: page.goto(f"/showroom/{error}/"))
                for error in ERRORS
            ]
        )

    def test_the_api_reference(self, stack, take):
        take(tours.API_REFERENCE)

    def test_the_sandbox(self, stack, northwind, page, look):
        """Not shipped, but what everybody sees who tries Purser."""
        url = scene.checkout_pages_of(northwind, stack.sandbox)
        pay(page, url["challenged"], "4000 0000 0000 3220")

        look.at_pages(
            [
                ("index", lambda: page.goto(stack.sandbox.url)),
                ("open", lambda: page.goto(url["open"])),
                ("declined", lambda: pay(page, url["open"], "4000 0000 0000 0002")),
                ("challenged", lambda: page.goto(url["challenged"])),
                ("paid", lambda: page.goto(url["paid"])),
                ("receipt", lambda: page.goto(url["receipt"])),
            ]
        )

    def test_the_rest_of_the_sandbox(self, stack, northwind, page, look):
        at = sandbox_scene.pages_at(stack.sandbox.url)

        look.at_pages(
            [(name, lambda url=url: page.goto(url)) for name, url in at.items()]
        )


def markup_of(page):
    """Return the page as it is now, apart from the form tokens, new with each load."""
    return re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", page.content())


def pay(page, checkout, number):
    page.goto(checkout)
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiration date").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_label("Cardholder name").fill("Nora Lind")
    with page.expect_navigation():
        page.get_by_role("button", name="Pay").click()


def names_of(patterns, prefix=""):
    """Yield the names of our addresses, as `reverse` knows them."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}"
        elif pattern.namespace not in tours.NOT_OURS:
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from names_of(pattern.url_patterns, inner)


class TestTours:
    def test_leave_no_address_out(self):
        seen = {stop.shows for tour in tours.TOURS for stop in tour}

        assert seen | tours.NOT_SEEN == set(names_of(get_resolver().url_patterns))

    def test_visit_nothing_that_is_said_to_be_left_out(self):
        named = {stop.name for tour in tours.TOURS for stop in tour}

        assert named & tours.NOT_SEEN == set()
