"""Every address of the portal."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from credits.api import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("accounts/", include("allauth.urls")),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("credits.urls")),
    path("", include("billing.urls")),
]
