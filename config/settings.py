"""Every setting, read from the environment here and nowhere else (.env.example)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from config import logging as purser_logging
from config import startup

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

ENVIRONMENT = env.str("ENVIRONMENT", default="production")
IS_PRODUCTION = ENVIRONMENT != "development"
DEBUG = env.bool("DEBUG", default=False)

# Stripe. Without keys, development talks to the sandbox (stripe_sandbox/).
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default=startup.STRIPE_API)
if not IS_PRODUCTION and not STRIPE_SECRET_KEY:
    STRIPE_SECRET_KEY = startup.SANDBOX_STRIPE_KEY
    STRIPE_WEBHOOK_SECRETS = STRIPE_WEBHOOK_SECRETS or [startup.SANDBOX_WEBHOOK_SECRET]
    STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="http://127.0.0.1:12111")
IS_STRIPE_SANDBOX = STRIPE_API_BASE != startup.STRIPE_API
STRIPE_TIMEOUT_S = env.int("STRIPE_TIMEOUT_S", default=15)

SECRET_KEY = env.str(
    "SECRET_KEY", default="" if IS_PRODUCTION else startup.DEVELOPMENT_SECRET_KEY
)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["127.0.0.1", "localhost"]
)
BASE_URL = env.str(
    "BASE_URL", default="" if IS_PRODUCTION else "http://127.0.0.1:8000"
).rstrip("/")
SUPPORT_EMAIL = env.str(
    "SUPPORT_EMAIL", default="" if IS_PRODUCTION else "support@purser.example"
)
DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
# What moves money asks staff for their second factor, at most ten minutes old.
STAFF_STEP_UP = env.bool("STAFF_STEP_UP", default=IS_PRODUCTION)

if problems := startup.Configuration(
    is_production=IS_PRODUCTION,
    is_debug=DEBUG,
    secret_key=SECRET_KEY,
    allowed_hosts=tuple(ALLOWED_HOSTS),
    database_url=DATABASE_URL,
    database_owner_url=DATABASE_OWNER_URL,
    redis_url=REDIS_URL,
    base_url=BASE_URL,
    support_email=SUPPORT_EMAIL,
    stripe_key=STRIPE_SECRET_KEY,
    stripe_webhook_secrets=tuple(STRIPE_WEBHOOK_SECRETS),
    stripe_api=STRIPE_API_BASE,
    asks_for_second_factor=STAFF_STEP_UP,
).problems():
    raise ImproperlyConfigured(
        "Purser cannot start:\n"
        + "\n".join(f"  - {problem}" for problem in problems)
        + "\nTo try it on one machine instead, run `make run`."
    )

# The product
CURRENCY = env.str("CURRENCY", default="usd")
# R62: how long credits stay usable when a renewal is not paid.
GRACE_DAYS = env.int("GRACE_DAYS", default=7)
# R22: all of the difference, or the share of it for what is left of the month.
WHOLE_UPGRADE_CREDITS = env.bool("WHOLE_UPGRADE_CREDITS", default=False)
# R26: keep of a larger plan's credits what the smaller one brings, or all of them.
TRIM_ON_DOWNGRADE = env.bool("TRIM_ON_DOWNGRADE", default=False)
# R30: a year returns what is unspent of the month, or the time that is left of it.
RETURN_UNSPENT_SHARE = env.bool("RETURN_UNSPENT_SHARE", default=False)
# R36: how long before a new price its customers hear of it.
PRICE_NOTICE_DAYS = env.int("PRICE_NOTICE_DAYS", default=30)
# R58: bought credits end with the plan, or wait for another one.
FORFEIT_BLOCKS = env.bool("FORFEIT_BLOCKS", default=False)
# R58: how long after a purchase its unspent credits may be refunded to who cancels.
REFUND_DAYS = env.int("REFUND_DAYS", default=14)
# R91: what staff adjust alone, unless their own limits say otherwise.
ADJUSTMENT_LIMIT = env.int("ADJUSTMENT_LIMIT", default=500)
ADJUSTMENT_DAILY_LIMIT = env.int("ADJUSTMENT_DAILY_LIMIT", default=2_000)
ADMIN_PATH = env.str("ADMIN_PATH", default="admin").strip("/")
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=30_000)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_prometheus",
    "django_structlog",
    "ninja",
    "config",
    "accounts",
    "credits",
    "billing",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "credits.api.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.health.HealthMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.http.PrivateByDefaultMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "config.http.ProgramMiddleware",
    # Only for people:
    "config.stack.roomy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

if IS_STRIPE_SANDBOX:
    # Before whoever reads the clock, after what answers without the database.
    after_health = MIDDLEWARE.index("config.health.HealthMiddleware") + 1
    MIDDLEWARE.insert(after_health, "config.http.PortalClockMiddleware")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["accounts.templatetags.units", "django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.portal",
            ],
        },
    }
]


# Database: the application's login may not touch history, the owner's migrates.
def _database(url: str, **options: object) -> dict[str, Any]:
    # Without an address only commands that need no database can run.
    settings = dict(env.db_url_config(url or "postgres:///purser"))
    return {
        **settings,
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,
        "OPTIONS": options,
    }


DATABASES = {
    "default": _database(
        DATABASE_URL,
        pool={
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=16),
            "timeout": 10,
        },
    ),
    "owner": {
        **_database(DATABASE_OWNER_URL or DATABASE_URL),
        "TEST": {"MIRROR": "default"},
    },
}

# Whom config/sql/rights.sql gives rights to; nobody when one login does everything.
DATABASE_APPLICATION_LOGIN = (
    DATABASES["default"]["USER"]
    if DATABASES["default"]["USER"] != DATABASES["owner"]["USER"]
    else ""
)

# Cache, rate limits and broker. Nothing that matters lives here.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or "redis://127.0.0.1:6379/0",
        "KEY_PREFIX": "purser",
    }
}
CELERY_BROKER_URL = CACHES["default"]["LOCATION"].replace("unix://", "redis+socket://")
CELERY_BEAT_SCHEDULE_FILENAME = env.str(
    "CELERY_BEAT_FILE", default="var/celerybeat-schedule"
)

# Sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "billing:overview"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up
ACCOUNT_EMAIL_NOTIFICATIONS = True  # password, address or second factor changed
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before any of those
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_TOTP_ISSUER = "Purser"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
USERSESSIONS_TRACK_ACTIVITY = False  # five statements a page
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# Sessions and cookies
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_NAME = "__Host-session" if IS_PRODUCTION else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_PRODUCTION else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.http.csrf_failure"

# Transport and headers
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
if env.int("TRUSTED_PROXY_COUNT", default=0):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Tabler's CSS carries its arrows as data URLs
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        # Chromium applies form-action to the redirect that answers a form, too.
        "form-action": [
            "'self'",
            "https://checkout.stripe.com",
            "https://billing.stripe.com",
            *([STRIPE_API_BASE] if IS_STRIPE_SANDBOX else []),
        ],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# E-mail
vars().update(
    env.email_url(
        "EMAIL_URL",
        default="consolemail://" if not IS_PRODUCTION else "smtp://localhost",
    )
)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=f"Purser <{SUPPORT_EMAIL or 'purser@localhost'}>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Language, time, files
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
# R93: where finance's months begin and end; the same from the first one closed.
FINANCE_TIME_ZONE = ZoneInfo(env.str("FINANCE_TIME_ZONE", default="UTC")).key
# What the operator's books call the accounts of the journal: "revenue=4000,fees=6010".
JOURNAL_ACCOUNTS: dict[str, str] = env.dict("JOURNAL_ACCOUNTS", default={})
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Web and workers must both reach it. Nothing in it is ever served by itself.
    "exports": {
        "BACKEND": env.str(
            "EXPORT_STORAGE", default="django.core.files.storage.FileSystemStorage"
        ),
        "OPTIONS": env.json(
            "EXPORT_STORAGE_OPTIONS",
            default={
                "location": str(BASE_DIR / "var" / "exports"),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        ),
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION


# Logs and errors
LOGGING = purser_logging.configure(
    level=env.str("LOG_LEVEL", default="INFO"), as_json=IS_PRODUCTION
)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # its end says all of it
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # what X-Forwarded-For claims, unproven
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if sentry_dsn := env.str("SENTRY_DSN", default=""):
    import sentry_sdk

    sentry_sdk.init(dsn=sentry_dsn, send_default_pii=False, release=VERSION)
