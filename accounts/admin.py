"""The raw tables in the Django admin, to be read. Writes go through the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts import auditing
from accounts.models import (
    Account,
    AuditEvent,
    Invitation,
    Membership,
    Notice,
    ServiceKey,
    StaffLimit,
    User,
)
from accounts.roles import StaffGroup
from config.clock import now

if TYPE_CHECKING:
    from django.db.models import ManyToManyField
    from django.forms import ModelForm, ModelMultipleChoiceField
    from django.http import HttpRequest

# One way in: allauth's, with its second factor and its rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not at run time
    """Shows rows; changes none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People. Superusers say here who is staff, and in which groups."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "name")
    fields = (
        *("email", "name", "created_at", "last_login"),
        *("is_active", "is_staff", "is_superuser", "groups"),
    )
    readonly_fields = ("email", "name", "created_at", "last_login", "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let superusers: whoever gives rights could give themselves any."""
        return bool(request.user.is_active and request.user.is_superuser)

    def formfield_for_manytomany(
        self,
        db_field: ManyToManyField[Any, Any],
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401 - as Django's own
    ) -> ModelMultipleChoiceField[Group] | None:
        """Offer the groups of the staff."""
        kwargs["queryset"] = Group.objects.filter(name__in=StaffGroup.values)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm[User],
        formsets: Any,  # noqa: ANN401 - there are none
        change: bool,  # noqa: FBT001 - as Django calls it
    ) -> None:
        """Save the groups, and write down what was given or taken."""
        before = {name: form.initial[name] for name in ("is_active", "is_staff")}
        groups = sorted(group.name for group in form.initial["groups"])
        super().save_related(request, form, formsets, change)
        user = form.instance
        auditing.record(
            action="staff.changed",
            actor=cast("User", request.user),
            target=user.email,
            before={**before, "groups": groups},
            after={
                "is_active": user.is_active,
                "is_staff": user.is_staff,
                "groups": sorted(user.groups.values_list("name", flat=True)),
            },
            at=now(),
            request=request,
        )


@admin.register(StaffLimit)
class StaffLimitAdmin(ReadOnlyAdmin):
    """What single people may adjust alone. Superusers say it here (R91)."""

    list_display = ("user", "per_adjustment", "per_day")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Let superusers: whoever has limits could lift their own."""
        return self.has_add_permission(request)

    def save_model(
        self,
        request: HttpRequest,
        obj: StaffLimit,
        form: ModelForm[StaffLimit],
        change: bool,  # noqa: FBT001 - as Django calls it
    ) -> None:
        """Save the limits, and write down what they were."""
        super().save_model(request, obj, form, change)
        names = ("per_adjustment", "per_day")
        auditing.record(
            action="staff_limit.changed",
            actor=cast("User", request.user),
            target=obj.user.email,
            before={name: form.initial[name] for name in names} if change else {},
            after={name: getattr(obj, name) for name in names},
            at=now(),
            request=request,
        )


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Organizations."""

    list_display = ("name", "public_id", "billing_email", "created_at")
    search_fields = ("name", "public_id", "billing_email", "memberships__user__email")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is in which account."""

    list_display = ("user", "account", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "account")
    search_fields = ("user__email", "account__name", "account__public_id")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was asked to join."""

    list_display = ("email", "account", "role", "expires_at", "accepted_at")
    list_select_related = ("account",)
    search_fields = ("email", "account__name", "account__public_id")
    exclude = ("secret_hash",)


@admin.register(ServiceKey)
class ServiceKeyAdmin(ReadOnlyAdmin):
    """Keys, without what opens anything."""

    list_display = ("name", "masked", "account", "last_used_at", "revoked_at")
    list_select_related = ("account",)
    search_fields = ("name", "prefix", "account__name", "account__public_id")
    exclude = ("secret_hash",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """What was done."""

    list_display = ("occurred_at", "actor", "action", "target", "account_id")
    list_filter = ("action",)
    search_fields = ("actor", "target", "request_id", "=account_id")
    ordering = ("-occurred_at", "-pk")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What was said, and what waits to be."""

    list_display = (
        "created_at",
        "kind",
        "recipient",
        "attempts",
        "sent_at",
        "given_up_at",
    )
    list_filter = ("kind",)
    search_fields = ("recipient", "key", "subject")
    ordering = ("-pk",)
