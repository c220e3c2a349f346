"""A stop of a tour: a page, in a state in which it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True)
class Stop:
    """A page to look at: its URL's name, what goes into it, and how it answers.

    `then` is done there before looking; it may lead to a page of another name.
    """

    name: str
    args: str = ""
    query: str = ""
    status: int = 200
    then: Callable | None = None
    leads_to: str = ""

    def __str__(self) -> str:
        then = getattr(self.then, "__name__", "sent") if self.then else ""
        return " ".join(filter(None, (self.name, self.args, self.query, then)))

    @property
    def shows(self) -> str:
        return self.leads_to or self.name


def send(form, page, **typed):
    """Send a form as it is, apart from what is typed, past the browser's own checks."""
    for name, value in typed.items():
        page.locator(f"{form} [name={name}]").fill(value)
    with page.expect_navigation():
        page.locator(form).first.evaluate(
            "form => { form.noValidate = true; form.requestSubmit() }"
        )


def sent(form, **typed):
    return partial(send, form, **typed)


def open_navigation(page):
    page.evaluate("document.getElementById('site-nav').showPopover()")


MAIN_FORM = "main form[method=post]"
