"""Looking at a page in every theme and width: what is wrong with it.

A page is loaded once and put into each theme as its switch does: that this is the page
which a reload would bring is proven by TestThemes (test_every_page.py).

A theme is colors: in the dark, only they are judged. What a tablet shows, a phone or a
desktop shows too, but elsewhere: on a tablet, only places are judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.browser.conftest import COLOR_RULES, EVERY_RULE, PLACE_RULES

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE, TABLET, DESKTOP = 320, 768, 1280
JUDGED = {
    PHONE: {"light": EVERY_RULE, "dark": COLOR_RULES},
    TABLET: {"light": PLACE_RULES},
    DESKTOP: {"light": EVERY_RULE, "dark": COLOR_RULES},
}
# As static/js/theme.js shows a choice, without storing it. Nothing may still be on its
# way to its color then.
WEAR = """
(theme) => {
  document.documentElement.dataset.bsTheme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch] button"))
    button.setAttribute("aria-pressed", String(button.value === theme));
  document.dispatchEvent(new CustomEvent("purser:theme", { detail: theme }));
  for (const animation of document.getAnimations()) animation.finish();
}
"""
# Once the new size is laid out: two frames later. From the top, for a form that is sent
# back scrolls to its first error, and the header covers half of some link then.
EXCESS_WIDTH = """
() => new Promise((resolve) => {
  window.scrollTo({ top: 0, behavior: "instant" });
  const measure = () =>
    resolve(document.documentElement.scrollWidth - window.innerWidth);
  requestAnimationFrame(() => requestAnimationFrame(measure));
})
"""


@dataclass
class Look:
    """How a page is looked at: a picture, and all that is wrong with it."""

    page: Page
    check_axe: Callable
    screenshot: Callable
    occasion: str

    def at_pages(self, visits) -> None:
        """Go to each page: `visits` are names and ways of going there."""
        findings = [
            f"{name}, {finding}"
            for name, go in visits
            for finding in self._findings(name, go)
        ]
        if findings:
            raise AssertionError("\n".join(findings))

    def _findings(self, name, go):
        go()
        for width, themes in JUDGED.items():
            self.page.set_viewport_size({"width": width, "height": 800})
            excess = self.page.evaluate(EXCESS_WIDTH)
            if excess > 0:
                yield f"{width} px: {excess} px too wide"
            for theme, rules in themes.items():
                wear(self.page, theme)
                self.screenshot(self.page, f"{self.occasion} {name} {theme} {width}")
                try:
                    self.check_axe(self.page, rules)
                except AssertionError as found:
                    yield f"{theme}, {width} px: {found}"


def wear(page: Page, theme: str) -> None:
    """Put a page into a theme, and the browser with it, as pages may follow either."""
    page.emulate_media(color_scheme=theme)
    page.evaluate(WEAR, theme)
