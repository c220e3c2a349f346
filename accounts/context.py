"""What every page shows around its content: `portal` in all templates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.access import membership_in_use, memberships_of
from accounts.desks import desks_for
from accounts.roles import Permission, StaffPermission, may
from accounts.staff_access import permissions_of
from accounts.templatetags.units import moment
from config import clock

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import Promise

    from accounts.models import Account, Membership

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the navigation, and the permission that it is hidden without."""

    url_name: str
    label: str | Promise
    icon: str
    permission: Permission | None = None


_PAGES = (
    Page("billing:overview", _("Overview"), "home"),
    Page("credits:usage", _("Usage"), "chart-bar"),
    Page("billing:add_ons", _("Buy credits"), "plus"),
    Page("billing:plan", _("Plan & billing"), "credit-card"),
    Page("credits:statement", _("Statement"), "list"),
    Page("credits:rates", _("Rates"), "calculator"),
    Page("accounts:team", _("Team"), "users"),
    Page("accounts:keys", _("API keys"), "key", Permission.MANAGE_KEYS),
    Page("credits:alerts", _("Alerts"), "bell"),
    Page("accounts:settings", _("Settings"), "settings"),
)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link of the navigation as it stands on this page."""

    label: str
    url: str
    icon: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """An account that the viewer can switch to."""

    public_id: str
    name: str
    role_label: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Banner:
    """A standing notice above a page; level is info, warning or danger."""

    level: str
    text: str
    action_label: str = ""
    action_url: str = ""


class Portal:
    """The frame of a page. Fragments do not ask for it, so it reads on demand."""

    support_email: str = settings.SUPPORT_EMAIL
    is_sandbox: bool = settings.IS_STRIPE_SANDBOX
    is_step_up_off: bool = not settings.STAFF_STEP_UP
    version: str = settings.VERSION

    def __init__(self, request: HttpRequest) -> None:
        """Remember whose page it is."""
        self._request = request

    @property
    def theme(self) -> str:
        """Return the stored choice, "auto" without one."""
        stored = self._request.COOKIES.get(THEME_COOKIE, "")
        return stored if stored in THEMES else "auto"

    @property
    def banners(self) -> tuple[Banner, ...]:
        """Return what stands above every page: that the clock is not right, if so."""
        if not clock.offset():
            return ()
        text = gettext("The clock is moved: it is now {now}.").format(
            now=moment(clock.now())
        )
        return (Banner("info", text),)

    @cached_property
    def account(self) -> Account | None:
        """Return the account in use, None for visitors and users without one."""
        return self._membership.account if self._membership else None

    @cached_property
    def accounts(self) -> list[AccountChoice]:
        """Return the accounts that the viewer is a member of."""
        if not self._membership:
            return []
        return [
            AccountChoice(
                public_id=membership.account.public_id,
                name=membership.account.name,
                role_label=membership.get_role_display(),
                is_current=membership == self._membership,
            )
            for membership in memberships_of(self._request)
        ]

    @cached_property
    def navigation(self) -> list[NavigationItem]:
        """Return the links that the viewer's role opens."""
        if not self._membership:
            return []
        role = self._membership.role
        pages = [
            page for page in _PAGES if not page.permission or may(role, page.permission)
        ]
        return self._items(pages)

    @cached_property
    def staff_navigation(self) -> list[NavigationItem]:
        """Return the links to the desks that the viewer may open and needs daily."""
        desks = desks_for(permissions_of(self._request.user))
        pages = [
            Page("accounts:staff_home", _("Console"), "home"),
            *(
                Page(desk.url_name, desk.label, desk.icon)
                for desk in desks
                if desk.is_daily
            ),
        ]
        return self._items(pages)

    @property
    def may_find(self) -> bool:
        """Whether the viewer may look accounts up."""
        return StaffPermission.SEE_MONEY in permissions_of(self._request.user)

    @cached_property
    def _membership(self) -> Membership | None:
        user = getattr(self._request, "user", None)
        signed_in = user is not None and user.is_authenticated
        return membership_in_use(self._request) if signed_in else None

    def _items(self, pages: list[Page]) -> list[NavigationItem]:
        urls = [reverse(page.url_name) for page in pages]
        active = self._active_url(urls)
        return [
            NavigationItem(str(page.label), url, page.icon, url == active)
            for page, url in zip(pages, urls, strict=True)
        ]

    def _active_url(self, urls: list[str]) -> str:
        """Return the deepest page that this address lies under; "/" only itself."""
        path = self._request.path
        above = [
            url for url in urls if url == path or (url != "/" and path.startswith(url))
        ]
        return max(above, key=len, default="")


def portal(request: HttpRequest) -> dict[str, object]:
    """Return the portal's context."""
    return {"portal": Portal(request)}
