"""Where plans and rates are drafted and published."""

from __future__ import annotations

from django.urls import path

from billing.views import staff_catalogue, staff_offers, staff_rates

_RATES, _OFFERS = "staff/catalogue/rates/drafts/", "staff/catalogue/offers/"

urlpatterns = [
    path("staff/catalogue/", staff_catalogue.catalogue_page, name="staff_catalogue"),
    path(
        "staff/catalogue/rates/<slug:rate_plan>/<int:version>/",
        staff_catalogue.rate_card_page,
        name="staff_rate_card",
    ),
    path(
        "staff/catalogue/rates/<slug:rate_plan>/draft/",
        staff_rates.begin_rates,
        name="staff_begin_rates",
    ),
    path(f"{_RATES}<slug:public_id>/", staff_rates.rate_draft, name="staff_rate_draft"),
    path(
        f"{_RATES}<slug:public_id>/add/", staff_rates.draft_rate, name="staff_add_rate"
    ),
    path(
        f"{_RATES}<slug:public_id>/features/<slug:feature>/",
        staff_rates.draft_rate,
        name="staff_draft_rate",
    ),
    path(
        f"{_RATES}<slug:public_id>/features/<slug:feature>/end/",
        staff_rates.end_rate,
        name="staff_end_rate",
    ),
    path(
        f"{_RATES}<slug:public_id>/start/",
        staff_rates.start_rates,
        name="staff_start_rates",
    ),
    path(
        f"{_RATES}<slug:public_id>/impact/",
        staff_rates.rate_impact_page,
        name="staff_rate_impact",
    ),
    path(
        f"{_RATES}<slug:public_id>/impact.csv",
        staff_rates.rate_impact_csv,
        name="staff_rate_impact_csv",
    ),
    path(
        f"{_RATES}<slug:public_id>/publish/",
        staff_rates.confirm_rates,
        name="staff_confirm_rates",
    ),
    path(
        f"{_RATES}<slug:public_id>/publish/now/",
        staff_rates.publish_rates,
        name="staff_publish_rates",
    ),
    path(
        f"{_RATES}<slug:public_id>/withdraw/",
        staff_rates.withdraw_rates,
        name="staff_withdraw_rates",
    ),
    path(
        f"{_OFFERS}plans/<slug:code>/draft/",
        staff_offers.begin_plan,
        name="staff_begin_plan",
    ),
    path(
        f"{_OFFERS}blocks/draft/", staff_offers.begin_blocks, name="staff_begin_blocks"
    ),
    path(
        f"{_OFFERS}drafts/<slug:public_id>/",
        staff_offers.offer_draft,
        name="staff_offer_draft",
    ),
    path(
        f"{_OFFERS}drafts/<slug:public_id>/terms/",
        staff_offers.set_terms,
        name="staff_offer_terms",
    ),
    path(
        f"{_OFFERS}drafts/<slug:public_id>/publish/",
        staff_offers.publish_offer,
        name="staff_publish_offer",
    ),
    path(
        f"{_OFFERS}drafts/<slug:public_id>/prices/",
        staff_offers.price_offer,
        name="staff_price_offer",
    ),
    path(
        f"{_OFFERS}drafts/<slug:public_id>/withdraw/",
        staff_offers.withdraw_offer,
        name="staff_withdraw_offer",
    ),
]
