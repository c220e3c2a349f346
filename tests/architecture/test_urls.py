"""The addresses of the portal."""

from __future__ import annotations

from django.urls import URLPattern, get_resolver


def patterns(resolver) -> list[URLPattern]:
    """Return every pattern below, but for those of Django's own admin."""
    if getattr(resolver, "app_name", None) == "admin":
        return []
    return [
        pattern
        for child in resolver.url_patterns
        for pattern in ([child] if isinstance(child, URLPattern) else patterns(child))
    ]


class TestUrls:
    def test_all_have_names(self):
        nameless = [
            str(pattern.pattern)
            for pattern in patterns(get_resolver())
            if not pattern.name
        ]

        assert nameless == []
