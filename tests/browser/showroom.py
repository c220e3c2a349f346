"""The portal's addresses, and one where error pages can be looked at in peace."""

from __future__ import annotations

from django.shortcuts import render
from django.urls import path

from config import urls


def error_page(request, template):
    """Render an error page as its handler does, which passes no context."""
    return render(request, f"{template}.html")


urlpatterns = [
    *urls.urlpatterns,
    path("showroom/<str:template>/", error_page, name="error_page"),
]
