"""The offer: publishing it from its file, and what of it is in force (R0, R36)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction

from billing.models import (
    BlockOffer,
    FreeVideoOffer,
    Interval,
    Plan,
    PlanFamily,
    PlanVersion,
)
from billing.stripe_gateway import PriceToSell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from django.db.models import Model

CATALOGUE_FILE = Path(__file__).parents[1] / "catalogue.toml"
_PLAN_PRICE = re.compile(r"purser_([-\w]+)_v(\d{1,9})_(month|year)")


class PublishedOfferEdited(Exception):
    """The file says something else than the published version of the same number."""

    def __init__(self, offer: str, differences: list[str]) -> None:
        """Name the version and what differs."""
        super().__init__(
            f"{offer} is published and differs from the file in: "
            f"{', '.join(differences)}. A published version is never edited (R36): "
            "raise the version and give it a later start."
        )


class NothingOffered(LookupError):
    """No version is in force: the catalogue was not loaded, or begins later."""


@dataclass(frozen=True, slots=True)
class PlanToPublish:
    """One plan of the file, with its present version."""

    code: str
    family: str
    name: str
    version: int
    starts_at: datetime
    cycle_credits: int
    month_cents: int | None = None
    year_cents: int | None = None
    sells_blocks: bool = False
    samples: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BlocksToPublish:
    """The block offer of the file."""

    version: int
    starts_at: datetime
    credits: int
    cents: int
    min_blocks: int
    max_blocks: int
    expires_after_months: int | None = None


@dataclass(frozen=True, slots=True)
class FreeVideosToPublish:
    """How many free videos a month the file gives to Free, by country (R106)."""

    version: int
    starts_at: datetime
    default_quota: int
    longest_ms: int
    quota_by_country: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the file offers, plans in the order in which pages show them."""

    plans: tuple[PlanToPublish, ...]
    blocks: BlocksToPublish
    free_videos: FreeVideosToPublish


def read(file: Path = CATALOGUE_FILE) -> Catalogue:
    """Return the content of a catalogue file."""
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return Catalogue(
        plans=tuple(PlanToPublish(**plan) for plan in content["plans"]),
        blocks=BlocksToPublish(**content["blocks"]),
        free_videos=FreeVideosToPublish(**content["free_videos"]),
    )


@transaction.atomic
def publish(catalogue: Catalogue, *, currency: str) -> int:
    """Publish what is new in a catalogue; return how many versions that were.

    Raises:
        PublishedOfferEdited: a version was published with other content.
    """
    published = sum(
        publish_plan(plan, position=position, currency=currency)
        for position, plan in enumerate(catalogue.plans)
    )
    published += publish_blocks(catalogue.blocks, currency=currency)
    return published + _publish_free_videos(catalogue.free_videos)


def publish_plan(entry: PlanToPublish, *, position: int, currency: str) -> bool:
    """Publish a version of a plan; return False when this very one was published.

    Raises:
        PublishedOfferEdited: it was published with other content.
    """
    # Name and order are presentation: they may change with any version.
    plan, _ = Plan.objects.update_or_create(
        code=entry.code,
        defaults={"name": entry.name, "position": position},
        create_defaults={
            "name": entry.name,
            "position": position,
            "family": entry.family,
        },
    )
    if plan.family != entry.family:
        raise PublishedOfferEdited(f"Plan “{plan}”", ["family"])
    version, is_new = PlanVersion.objects.get_or_create(
        plan=plan,
        version=entry.version,
        defaults=(wanted := _version_fields(entry, currency)),
    )
    _require_same(version, wanted, f"Version {version.version} of plan “{plan}”")
    return is_new


def publish_blocks(entry: BlocksToPublish, *, currency: str) -> bool:
    """Publish a version of the block offer; return False as `publish_plan` does.

    Raises:
        PublishedOfferEdited: it was published with other content.
    """
    wanted = {**asdict(entry), "currency": currency}
    offer, is_new = BlockOffer.objects.get_or_create(
        version=entry.version, defaults=wanted
    )
    _require_same(offer, wanted, f"Version {offer.version} of the block offer")
    return is_new


def plans_in_force(*, at: datetime) -> list[PlanVersion]:
    """Return the version in force of every plan, in the order of the plans page."""
    return list(
        PlanVersion.objects.filter(starts_at__lte=at)
        .order_by("plan__position", "plan_id", "-starts_at")
        .distinct("plan__position", "plan_id")
        .select_related("plan")
    )


def plan_in_force(code: str, *, at: datetime) -> PlanVersion:
    """Return the version of one plan that is sold at an instant.

    Raises:
        NothingOffered: there is none.
    """
    version = (
        PlanVersion.objects.filter(plan__code=code, starts_at__lte=at)
        .order_by("-starts_at")
        .select_related("plan")
        .first()
    )
    if version is None:
        message = f"No version of the plan “{code}” is in force."
        raise NothingOffered(message)
    return version


def blocks_in_force(*, at: datetime) -> BlockOffer:
    """Return the block offer that is sold at an instant.

    Raises:
        NothingOffered: there is none.
    """
    offer = BlockOffer.objects.filter(starts_at__lte=at).order_by("-starts_at").first()
    if offer is None:
        message = "No offer of credit blocks is in force."
        raise NothingOffered(message)
    return offer


def free_videos_in_force(*, at: datetime) -> FreeVideoOffer | None:
    """Return what Free gives at an instant; None: nothing was published yet."""
    started = FreeVideoOffer.objects.filter(starts_at__lte=at)
    return started.order_by("-starts_at").first()


def prices_to_sell() -> list[PriceToSell]:
    """Return every price that was ever published: subscribers keep theirs (R36)."""
    # R34: legacy plans are not at Stripe, so that nobody can pay for one there.
    sold = PlanVersion.objects.exclude(plan__family=PlanFamily.LEGACY)
    versions = sold.select_related("plan").order_by("plan__position")
    offers = BlockOffer.objects.order_by("version")
    return [
        *(price for version in versions for price in prices_of(version)),
        *(price for offer in offers for price in prices_of(offer)),
    ]


def prices_of(offer: PlanVersion | BlockOffer) -> list[PriceToSell]:
    """Return the prices by which Stripe sells one version."""
    if isinstance(offer, BlockOffer):
        return [_block_price(offer)]
    return list(_plan_prices(offer))


def version_of_price(lookup_key: str) -> tuple[PlanVersion, Interval] | None:
    """Return which plan version, paid how often, has a price; None for other prices."""
    named = _PLAN_PRICE.fullmatch(lookup_key)
    if named is None:
        return None
    code, version, interval = named.groups()
    found = PlanVersion.objects.filter(plan__code=code, version=version)
    first = found.select_related("plan").first()
    return (first, Interval(interval.upper())) if first else None


def _plan_prices(version: PlanVersion) -> Iterator[PriceToSell]:
    for interval, cents in _paid_intervals(version):
        yield PriceToSell(
            lookup_key=version.lookup_key(interval),
            product_id=f"purser_{version.plan.code}",
            product_name=version.plan.name,
            unit_cents=cents,
            currency=version.currency,
            interval=interval,
        )


def _paid_intervals(
    version: PlanVersion,
) -> Iterator[tuple[Literal["month", "year"], int]]:
    # Free costs nothing, so Stripe never hears of it.
    if version.month_cents:
        yield "month", version.month_cents
    if version.year_cents:
        yield "year", version.year_cents


def _block_price(offer: BlockOffer) -> PriceToSell:
    return PriceToSell(
        lookup_key=offer.lookup_key,
        product_id="purser_block",
        product_name=f"{offer.credits} credits",
        unit_cents=offer.cents,
        currency=offer.currency,
    )


def _version_fields(entry: PlanToPublish, currency: str) -> dict[str, Any]:
    return {
        "starts_at": entry.starts_at,
        "cycle_credits": entry.cycle_credits,
        "month_cents": entry.month_cents,
        "year_cents": entry.year_cents,
        "currency": currency,
        "sells_blocks": entry.sells_blocks,
        "is_sample_price": bool(entry.samples),
    }


def _publish_free_videos(entry: FreeVideosToPublish) -> bool:
    wanted = asdict(entry)
    offer, is_new = FreeVideoOffer.objects.get_or_create(
        version=entry.version, defaults=wanted
    )
    _require_same(offer, wanted, f"Version {offer.version} of the free videos")
    return is_new


def _require_same(row: Model, wanted: dict[str, Any], name: str) -> None:
    differences = [
        field for field, value in wanted.items() if getattr(row, field) != value
    ]
    if differences:
        raise PublishedOfferEdited(name, differences)
