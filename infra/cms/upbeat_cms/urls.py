"""The addresses of the site: Wagtail's admin, and what Upbeat asks."""

from django.urls import include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as admin_urls

from entries import api

urlpatterns = [
    path("api/upbeat/entries", api.entries),
    path("api/upbeat/reports", api.reports),
    path("admin/", include(admin_urls)),
    path("", RedirectView.as_view(pattern_name="wagtailadmin_home")),
]
