"""Pages of whoever signs in or up, and of their second factor."""

from __future__ import annotations

from config.demo import people
from tests.browser.tours.stops import Stop, send, sent


def enter_password(page):
    page.context.clear_cookies(name="session")
    page.goto("/accounts/login/")
    send(SIGN_IN, page, login=people.BEA.email, password=people.PASSWORD)


SIGN_IN = "form:has([type=password])"
VISITOR = (
    Stop("account_login"),
    Stop("account_login", then=sent(SIGN_IN, login="nobody@example.com")),
    Stop("account_signup"),
    Stop("account_signup", then=sent(SIGN_IN, email="x", password1="short")),
    Stop("account_inactive"),
    Stop("account_email_verification_sent"),
    Stop("account_confirm_email", "confirmation"),
    Stop("account_confirm_email", "old confirmation"),
    Stop("account_reset_password"),
    Stop("account_reset_password_done"),
    Stop("account_reset_password_from_key", "reset"),
    Stop("account_reset_password_from_key", "old reset"),
    Stop("account_reset_password_from_key_done"),
    Stop("credits:unsubscribe", "unsubscribe"),
    Stop("credits:unsubscribe", "unsubscribed"),
    Stop("accounts:invitation", "invitation"),
    Stop("accounts:invitation", "revoked invitation", status=410),
)
MIDWAY = (Stop("account_signup", then=enter_password, leads_to="mfa_authenticate"),)
GUARDED = (
    Stop("mfa_index"),
    Stop("mfa_deactivate_totp"),
    Stop("mfa_reauthenticate"),
    Stop("mfa_reauthenticate_webauthn"),
    Stop("mfa_view_recovery_codes"),
    Stop("mfa_generate_recovery_codes"),
    Stop("mfa_list_webauthn"),
    Stop("mfa_add_webauthn"),
    Stop("mfa_edit_webauthn", "security key"),
    Stop("mfa_remove_webauthn", "security key"),
)
NEWCOMER = (
    Stop("accounts:new_account"),
    Stop("accounts:new_account", then=sent("form:has([name=name])")),
    Stop("mfa_index"),
)
