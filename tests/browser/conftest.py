"""A real portal, a real sandbox, a real browser.

The portal answers on a live server of this process, with this worker's test
database; the Stripe sandbox runs as a process of its own; tasks run at once.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import stripe
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from billing import stripe_gateway
from config.celery import app as celery_app
from config.clock import now
from config.demo import accounts, people
from tests.browser import chromium
from tests.sandbox_process import Sandbox, run_sandbox

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from accounts.models import Account

# Longer than a busy machine needs for anything: whoever waits longer waits in vain.
PATIENCE_MS = 60_000
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# WCAG 2.2, 2.5.8: what is pressed measures 24 px. Off unless asked for.
EVERY_RULE = {"rules": {"target-size": {"enabled": True}}}
# All that a theme can break, and all that a width can.
COLOR_RULES = {"runOnly": ["color-contrast", "link-in-text-block"]}
PLACE_RULES = {"runOnly": ["target-size", "scrollable-region-focusable"]}
# An open menu is judged alone: what it covers need not be pressed meanwhile.
RUN_AXE = """
async (options) => {
  const menu = document.querySelector("details[data-menu][open]");
  const run = await axe.run(menu ?? document, {
    resultTypes: ["violations"], ...options
  });
  return run.violations;
}
"""
WATCH_CSP = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`);
});
"""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            databases = ["default", "owner"]
            item.add_marker(
                pytest.mark.django_db(transaction=True, databases=databases)
            )


@dataclass
class Stack:
    """A portal and its Stripe."""

    url: str
    sandbox: Sandbox

    def load(self, described: accounts.DemoAccount = accounts.NORTHWIND) -> Account:
        """Make one of the demo's accounts, with its people."""
        return accounts.make(described, at=now())


@dataclass
class Watch:
    """What went wrong in the pages of a test, besides what the test looks at."""

    problems: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message) -> None:
        # What could not be loaded is judged by its response.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def _response(self, response) -> None:
        # A page may say no; a style sheet or a script may not be missing.
        tolerated = 500 if response.request.resource_type == "document" else 400
        if response.status >= tolerated:
            self.problems.append(f"{response.status} {response.url}")


@pytest.fixture(scope="package")
def browser():
    """One browser, with nothing in it, while a worker is at these tests."""
    program = chromium.find()
    if program is None:
        pytest.skip("There is no browser: see `make test`.")
    expect.set_options(timeout=PATIENCE_MS)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, in which Django would refuse
        # to use the database; nothing here is asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def tasks_at_once():
    """Run each task where it is sent, as a worker would a moment later."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


@pytest.fixture
def stack(transactional_db, live_server, tmp_path, settings, tasks_at_once):
    """The portal with catalogue and rates, and a Stripe that knows them."""
    with run_sandbox(tmp_path) as sandbox:
        settings.BASE_URL = live_server.url
        settings.STRIPE_API_BASE = sandbox.url
        directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        allowed = [*directives["form-action"], sandbox.url]
        settings.CONTENT_SECURITY_POLICY = {
            "DIRECTIVES": directives | {"form-action": allowed}
        }
        call_command("load_catalogue", verbosity=0)
        call_command("load_rate_card", verbosity=0)
        with stripe_gateway.using(stripe.RequestsClient(timeout=15)):
            call_command("stripe_setup", verbosity=0)
            settings.STRIPE_WEBHOOK_SECRETS = [_register_webhook(live_server.url)]
            yield Stack(live_server.url, sandbox)


def _register_webhook(portal: str) -> str:
    from billing.webhooks.registry import subscribed_events

    secret = stripe_gateway.ensure_webhook_endpoint(
        url=f"{portal}/webhooks/stripe/", events=subscribed_events()
    )
    assert secret
    return secret


@pytest.fixture
def new_context(browser, stack):
    """Open contexts of the portal; at the end nothing may have gone wrong in them."""
    contexts: list[BrowserContext] = []
    watch = Watch()

    def open_context(**options) -> BrowserContext:
        context = browser.new_context(base_url=stack.url, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH_CSP)
        context.on("page", watch.over)
        contexts.append(context)
        return context

    yield open_context
    for context in contexts:
        context.close()
    assert watch.problems == []


@pytest.fixture
def page(new_context) -> Page:
    """An empty page of a desktop's size."""
    return new_context(viewport={"width": 1280, "height": 900}).new_page()


@pytest.fixture
def sign_in(stack, settings):
    """Bring somebody in as the form does, without its pages: `sign_in(page, NORA)`."""

    def sign_in(page: Page, person: people.Person) -> None:
        client = Client(headers={"user-agent": page.evaluate("navigator.userAgent")})
        typed = {"login": person.email, "password": people.PASSWORD}
        assert client.post("/accounts/login/", typed).status_code == HTTPStatus.FOUND
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": stack.url}
        page.context.add_cookies([cookie])

    return sign_in


def sign_in_by_form(page: Page, person: people.Person) -> None:
    """Sign in as everybody does."""
    page.goto("/accounts/login/")
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).first.fill(person.email)
    page.locator("input[type=password]").fill(people.PASSWORD)
    page.locator("form:has(input[type=password]) button[type=submit]").click()
    expect(page).not_to_have_url(re.compile("/login/"))


@pytest.fixture
def screenshot(request):
    """Keep a picture of a page in PURSER_SCREENSHOTS, if that is set."""
    directory = os.environ.get("PURSER_SCREENSHOTS")

    def screenshot(page: Page, name: str) -> None:
        if directory:
            Path(directory).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{directory}/{name}.png", full_page=True)

    return screenshot


@pytest.fixture(scope="session")
def check_axe():
    """Assert that axe finds nothing on a page."""
    source = Path(__file__).parent / "axe" / "axe.min.js"
    return partial(_check_axe, axe=source.read_text())


def _check_axe(page: Page, rules=EVERY_RULE, *, axe: str) -> None:
    # By the debugger's door: the page's own policy stays as strict as it is.
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = [
        f"{violation['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for violation in page.evaluate(RUN_AXE, rules)
        for node in violation["nodes"]
    ]
    if found:
        raise AssertionError("\n".join([page.url, *found]))
