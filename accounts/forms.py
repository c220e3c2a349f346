"""Forms: they validate and do nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import available_timezones

from allauth.core import context
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import access, team
from accounts.countries import COUNTRIES
from accounts.models import Role, Scope
from config.clock import now

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict

    from accounts.models import User

# The zones of places; the rest of the database is aliases and fixed offsets.
_PLACES = (
    *("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/"),
    *("Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"),
)


def time_zones() -> list[tuple[str, str]]:
    """Return the zones that can be chosen, by name, and how they are shown."""
    names = sorted(name for name in available_timezones() if name.startswith(_PLACES))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def country_field(*, is_required: bool = True) -> forms.ChoiceField:
    """Return the choice of an organization's country."""
    return forms.ChoiceField(
        label=_("Country"),
        choices=[("", _("Choose a country")), *COUNTRIES.items()],
        required=is_required,
        help_text=_("Where the organization is. Offers differ by country."),
    )


class SignupForm(forms.Form):
    """What sign-up asks beyond address and password; allauth builds its form on it."""

    field_order = ("name", "organization", "country", "email", "password1")

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organization = forms.CharField(
        label=_("Organization"),
        max_length=120,
        help_text=_("Who pays. Others can be invited later."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    country = country_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - allauth's
        """Ask about no organization when an invitation names it."""
        super().__init__(*args, **kwargs)
        request = context.request
        if request and access.invitation_in_hand(request, at=now()):
            del self.fields["organization"], self.fields["country"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Keep the name, and open the user's account unless one is to be joined."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        organization = self.cleaned_data.get("organization")
        if organization:
            country = self.cleaned_data["country"]
            team.open_account(name=organization, country=country, owner=user, at=now())


class NewAccountForm(forms.Form):
    """A further account for somebody who has signed in."""

    name = forms.CharField(label=_("Name of the organization"), max_length=120)
    country = country_field()


class InviteForm(forms.Form):
    """Whom to invite, and as what; owners are invited by owners."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)

    def __init__(self, posted: QueryDict | None = None, *, by_role: str) -> None:
        """Offer the roles that the inviting member can give."""
        super().__init__(posted)
        self.fields["role"] = forms.ChoiceField(
            label=_("Role"), choices=roles_to_give(by_role), initial=Role.MEMBER
        )

    def clean_email(self) -> str:
        """Return the address in lower case, as users have it."""
        email: str = self.cleaned_data["email"]
        return email.lower()


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class CreateKeyForm(forms.Form):
    """A new key: what for, what it may do, and until when."""

    _NEVER = "never"

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Where the key is used, for example “Video backend”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("The key may"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label=_("Expires"),
        choices=[
            ("90", _("In 90 days")),
            ("365", _("In one year")),
            (_NEVER, _("Never")),
        ],
    )
    # So that sending the form again, as a refresh does, makes no second key.
    form_key = forms.RegexField(
        r"\A[0-9a-f]{32}\Z",
        required=False,
        widget=forms.HiddenInput,
        initial=lambda: uuid4().hex,
    )

    def expires_at(self, *, at: datetime) -> datetime | None:
        """Return the instant from which the key opens nothing, None for never."""
        lifetime = self.cleaned_data["lifetime"]
        return None if lifetime == self._NEVER else at + timedelta(days=int(lifetime))


class RevokeKeyForm(forms.Form):
    """The name of the key, typed: a revoked key cannot be brought back."""

    name = forms.CharField(
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, posted: QueryDict | None = None, *, expected: str) -> None:
        """Remember which name is right, and ask for it."""
        super().__init__(posted)
        label = gettext("Type “%(name)s” to confirm")
        self.fields["name"].label = label % {"name": expected}
        self._expected = expected

    def clean_name(self) -> str:
        """Accept only the key's own name."""
        name: str = self.cleaned_data["name"]
        if name != self._expected:
            raise forms.ValidationError(_("This is not the name of the key."))
        return name


class ProfileForm(forms.Form):
    """What a user may change about themselves."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        help_text=_("Dates and times are shown to you in this zone."),
    )


class AccountForm(forms.Form):
    """What an account's managers may change about it."""

    name = forms.CharField(label=_("Name of the organization"), max_length=120)
    billing_email = forms.EmailField(
        label=_("Billing e-mail"),
        max_length=254,
        required=False,
        help_text=_(
            "Receipts and payment notices go here too, not only to owners and"
            " billing members."
        ),
    )
    country = country_field(is_required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone of the organization"),
        choices=time_zones,
        help_text=_("Usage is added up by days of this zone, whoever looks at it."),
    )

    def __init__(
        self,
        posted: QueryDict | None = None,
        *,
        initial: dict[str, str] | None = None,
    ) -> None:
        """Keep the ids apart from those of the other form on the page."""
        super().__init__(posted, initial=initial, auto_id="id_account_%s")


def roles_to_give(role: str) -> list[tuple[str, Any]]:
    """Return the choices of roles that a member with this role can give."""
    return [
        (value, label)
        for value, label in Role.choices
        if role == Role.OWNER or value != Role.OWNER
    ]
