"""Every address of the portal, read off the URLconf, and whom it is for."""

from __future__ import annotations

from inspect import getclosurevars
from typing import TYPE_CHECKING

from django.test import Client
from django.urls import get_resolver, reverse

from accounts.roles import Permission, StaffPermission

if TYPE_CHECKING:
    from django.urls import URLPattern

# Addresses that ask for no permission: whom they are for instead.
VISITORS = {
    "accounts:invitation",
    "accounts:theme",
    "billing:stripe_webhook",  # Stripe, by its signature
    "credits:unsubscribe",
}
SIGNED_IN = {"accounts:join", "accounts:new_account", "accounts:switch"}
MEMBERS = {
    "accounts:save_profile",
    "accounts:settings",
    "accounts:team",
    "accounts:zone_today",
}
OURS = ("accounts", "billing", "credits")
# What others bring, below addresses that are theirs alone.
THEIRS = ("api/v1/", "accounts/", "admin/")
STAFF_ONLY = ("/staff/", "/finance/")
SOMETHING = {"int": 4_000_000, "slug": "none-such", "string": "none-such"}


def addresses() -> dict[str, URLPattern]:
    """Return the addresses of our own apps by their names."""
    return {
        f"{resolver.app_name}:{pattern.name}": pattern
        for resolver in get_resolver().url_patterns
        if getattr(resolver, "app_name", "") in OURS
        for pattern in resolver.url_patterns
    }


ADDRESSES = addresses()
PERMISSIONS = {
    name: pattern.callback.permission
    for name, pattern in ADDRESSES.items()
    if hasattr(pattern.callback, "permission")
}
OF_MEMBERS = {n: p for n, p in PERMISSIONS.items() if isinstance(p, Permission)}
OF_STAFF = {n: p for n, p in PERMISSIONS.items() if isinstance(p, StaffPermission)}


def has_thing(name: str) -> bool:
    """Whether an address names a thing."""
    return bool(ADDRESSES[name].pattern.converters)


def url_of(name: str, **things: object) -> str:
    """Return an address, of a thing that does not exist unless one is given."""
    converters = ADDRESSES[name].pattern.converters
    nothing = {
        argument: SOMETHING[type(converter).__name__.removesuffix("Converter").lower()]
        for argument, converter in converters.items()
    }
    return reverse(name, kwargs=nothing | things)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def methods_of(name: str) -> set[str]:
    """Return what a view answers to, as Django's decorator was told."""
    view = ADDRESSES[name].callback
    while view:
        told = getclosurevars(view).nonlocals
        if "request_method_list" in told:
            return set(told["request_method_list"])
        view = getattr(view, "__wrapped__", None)
    return set()


def method_of(name: str) -> str:
    """Return one method that a view answers to: reading, if it does both."""
    return "GET" if "GET" in methods_of(name) else "POST"
