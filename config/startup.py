"""What must be right before any process starts: all that is wrong, said at once."""

from __future__ import annotations

from dataclasses import dataclass

STRIPE_API = "https://api.stripe.com"
DEVELOPMENT_SECRET_KEY = "development-only-not-a-secret"  # noqa: S105
SANDBOX_STRIPE_KEY = "sk_test_purser_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_purser_sandbox"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings whose combination can be incomplete or unsafe."""

    is_production: bool
    is_debug: bool
    secret_key: str
    allowed_hosts: tuple[str, ...]
    database_url: str
    database_owner_url: str
    redis_url: str
    base_url: str
    support_email: str
    stripe_key: str
    stripe_webhook_secrets: tuple[str, ...]
    stripe_api: str
    asks_for_second_factor: bool

    def problems(self) -> list[str]:
        """Return a sentence for everything that keeps this from starting."""
        found = list(self._stripe_problems())
        if self.is_production:
            found += self._missing()
            found += self._unsafe()
        return found

    def _stripe_problems(self) -> list[str]:
        is_stripe = self.stripe_api == STRIPE_API
        is_live = self.stripe_key.startswith(("sk_live_", "rk_live_"))
        found = []
        if is_live and not self.is_production:
            found.append(
                "STRIPE_SECRET_KEY is a live key, and ENVIRONMENT is development: that"
                " takes no real money. Use a test key, or none for the sandbox."
            )
        if is_live and not is_stripe:
            found.append(
                "STRIPE_SECRET_KEY is a live key, but STRIPE_API_BASE is not Stripe's "
                "address: a live key is only ever sent to Stripe. Unset one of them."
            )
        if self.is_production and not is_stripe:
            found.append(
                "STRIPE_API_BASE points to a sandbox: production takes real money only "
                "through Stripe. Unset it."
            )
        return found

    def _missing(self) -> list[str]:
        required = {
            "SECRET_KEY": self.secret_key,
            "ALLOWED_HOSTS": self.allowed_hosts,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "BASE_URL": self.base_url,
            "SUPPORT_EMAIL": self.support_email,
            "STRIPE_SECRET_KEY": self.stripe_key,
            "STRIPE_WEBHOOK_SECRETS": self.stripe_webhook_secrets,
        }
        return [
            f"{name} is not set. .env.example says what it is for."
            for name, value in required.items()
            if not value
        ]

    def _unsafe(self) -> list[str]:
        found = []
        if self.is_debug:
            found.append("DEBUG is on: error pages would show source code.")
        if self.secret_key and len(self.secret_key) < 50:
            found.append("SECRET_KEY is shorter than 50 characters.")
        if "*" in self.allowed_hosts:
            found.append(
                "ALLOWED_HOSTS must name your hosts; * lets anyone pose as one."
            )
        if not self.asks_for_second_factor:
            found.append(
                "STAFF_STEP_UP is off: a stolen session of a staff member could move "
                "money."
            )
        if self.base_url and not self.base_url.startswith("https://"):
            found.append("BASE_URL must begin with https:// in production.")
        if self.database_url and self.database_url == self.database_owner_url:
            found.append(
                "DATABASE_URL and DATABASE_OWNER_URL are the same login: the "
                "application's own may not be able to alter the ledger."
            )
        return found
