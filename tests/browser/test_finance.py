"""Finance closes a month in a browser, and takes its roll-forward along."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from accounts.models import AuditEvent
from accounts.roles import StaffGroup
from billing import tasks
from billing.core.periods import Span
from billing.finance import months
from billing.finance.reports import liability
from billing.models import ClosedMonth
from config import clock
from config.demo import accounts, people


@pytest.fixture
def ines(stack, page, sign_in):
    """Ines of finance, at a portal in which an account has lived for months."""
    stack.load(accounts.HARBOR)
    finance = Group.objects.filter(name=StaffGroup.FINANCE)
    accounts.make_person(people.INES, is_staff=True).groups.set(finance)
    sign_in(page, people.INES)
    return page


def close(page, month):
    page.goto(f"/finance/?month={month.code}")
    page.get_by_role("link", name="Close the month").click()
    page.get_by_label("Reason").fill("The bank's statement agrees.")
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name=f"Close {month}").click()
    expect(page.get_by_text(f"{month} is closed.")).to_be_visible()


def download_roll_forward(page) -> Path:
    page.get_by_role("link", name="Roll-forward").click()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download").click()
    return fetched.value.path()


def test_finance_closes_a_month(ines, screenshot):
    month = months.first_open(at=clock.now())

    close(ines, month)
    screenshot(ines, "finance-1-closed")
    tasks.seal_months()
    file = download_roll_forward(ines)

    closed = ClosedMonth.objects.get()
    assert (closed.month, closed.closed_by.email) == (month.first, people.INES.email)
    assert AuditEvent.objects.filter(action="month.closed").count() == 1
    rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    [whole] = liability.roll_forward(Span(month.starts_at, month.ends_at))
    closing = [row for row in rows if row[0] == "whole" and "CLOSING" in row]
    assert [str(whole.closing.credits) in row for row in closing] == [True]


def test_each_number_leads_to_its_rows(ines):
    month = months.month_of(clock.now()).previous
    ines.goto(f"/finance/?month={month.code}")
    used = ines.locator("tr", has=ines.get_by_role("rowheader", name="Used")).first

    used.get_by_role("link").click()

    expect(ines.get_by_role("heading", name="Rows behind a number")).to_be_visible()
    [whole] = liability.roll_forward(Span(month.starts_at, month.ends_at))
    [amount] = [m.amount for m in whole.moved if m.movement == "USED"]
    total = ines.locator(".finance-sum .amount").first
    expect(total).to_have_text(f"{amount.credits:+,}".replace("-", "\N{MINUS SIGN}"))
