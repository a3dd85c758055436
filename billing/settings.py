"""All settings, from the environment.

One module for development, tests and production: what differs is the environment, never the code. Each variable
read here is listed in `ENVIRONMENT`, and the deployment files are tested against that list.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT: dict[str, str] = {
    "SECRET_KEY": "signs sessions and links; required unless DEBUG=1",
    "DEBUG": "1 shows tracebacks; never in production",
    "ALLOWED_HOSTS": "host names served, separated by commas",
    "CSRF_TRUSTED_ORIGINS": "origins (https://host) that may post forms, separated by commas",
    "PUBLIC_URL": "where people reach this installation; links in mails start with it",
    "HTTPS": "1 when a proxy ends TLS in front: secure cookies, HSTS",
    "DATABASE_URL": "the owner's connection: migrations, workers, commands",
    "DATABASE_WEB_URL": "the web's connection, as role tollgate_web",
    "TOLLGATE_DB_ROLE": "which of the two this process uses: owner (default) or web",
    "REDIS_URL": "broker and cache: redis://, rediss:// or redis+socket://",
    "EMAIL_HOST": "SMTP server",
    "EMAIL_PORT": "its port",
    "EMAIL_HOST_USER": "login there",
    "EMAIL_HOST_PASSWORD": "password there",
    "EMAIL_USE_TLS": "1 for STARTTLS",
    "DEFAULT_FROM_EMAIL": "sender where a brand has none",
    "MEDIA_ROOT": "where uploads and rendered documents are kept",
    "USAGE_FOLDER": "base of the watched folders, one for each source by its code; empty: none is watched",
    "STATIC_ROOT": "where collectstatic puts files",
    "EXCHANGE_FETCH": "1 fetches the European Central Bank's exchange rates of the day by itself",
    "SWITCH_CONTROLS": "where switches take the order to end a call, as JSON (docs/switches.md); empty: nowhere",
    "TOLLGATE_DEMO": "1 shows the demo's logins and its mail box",
    "TOLLGATE_MAIL_DIR": "maildir of the demo's mail box",
    "LOG_LEVEL": "INFO by default",
}


def env(name: str, default: str = "") -> str:
    if name not in ENVIRONMENT:
        raise ImproperlyConfigured(f"{name} is not listed in ENVIRONMENT")
    return os.environ.get(name, default)


def env_flag(name: str) -> bool:
    return env(name, "0").strip().lower() in {"1", "true", "yes", "on"}


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


DEBUG = env_flag("DEBUG")
SECRET_KEY = env("SECRET_KEY")
_NO_DATABASE_NEEDED = len(sys.argv) > 1 and sys.argv[1] in {"price", "collectstatic", "compilemessages", "help"}
if not SECRET_KEY:
    if not (DEBUG or _NO_DATABASE_NEEDED):
        raise ImproperlyConfigured("SECRET_KEY is not set. ./run and ./manage set it; in production put it in .env.")
    SECRET_KEY = "only-for-debugging-" + "x" * 40

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = env("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "tiers",
    "accounts",
    "rating",
    "invoicing",
    "billing",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "pgtrigger",
    "pghistory",
    "treebeard",
    "djmoney",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tiers.middleware.ViewerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "billing.portals.errors.RefusalMiddleware",
]

ROOT_URLCONF = "billing.urls"
WSGI_APPLICATION = "billing.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billing.portals.context.portal",
            ],
        },
    },
]

# -- database -----------------------------------------------------------------------------------------------------
DB_ROLE = env("TOLLGATE_DB_ROLE", "owner")
if DB_ROLE not in {"owner", "web"}:
    raise ImproperlyConfigured(f"TOLLGATE_DB_ROLE is {DB_ROLE!r}; it must be owner or web")
_DATABASE_URL = env("DATABASE_URL", "postgres://tollgate_owner@localhost/tollgate")
if DB_ROLE == "web":
    _DATABASE_URL = env("DATABASE_WEB_URL") or _DATABASE_URL
_DATABASE = dj_database_url.parse(_DATABASE_URL, conn_max_age=60, conn_health_checks=True)
if _DATABASE["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: the ledger's laws live in it")
# Nobody waits long for a server that is gone: not while connecting, nor for a machine that lost its power.
_GONE = {"connect_timeout": 3, "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}
_DATABASE["OPTIONS"] = {**_GONE, "tcp_user_timeout": 15_000, **_DATABASE.get("OPTIONS", {})}
DATABASES: dict[str, Any] = {"default": _DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- people -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tiers.Member"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tiers.adapter.ClosedAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

# -- language and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hant", _("Traditional Chinese"))]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = False

# -- files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT") or str(BASE_DIR / ".state" / "static")
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static"]
for _name, _path in {
    "tabler": "node_modules/@tabler/core/dist",
    "echarts": "node_modules/echarts/dist",
}.items():
    if (BASE_DIR / _path).is_dir():
        STATICFILES_DIRS.append((_name, BASE_DIR / _path))
STATICFILES_FINDERS = [
    "billing.static_files.PickingFinder",
    "billing.static_files.UsedAppFinder",
]
USAGE_FOLDER = env("USAGE_FOLDER")
MEDIA_ROOT = env("MEDIA_ROOT") or str(BASE_DIR / ".state" / "files")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
UPLOAD_MAX_BYTES = 512 * 1024 * 1024
UNPACKED_MAX_BYTES = 4 * 1024 * 1024 * 1024
UNPACKED_MAX_RATIO = 200
UNPACKED_MAX_FILES = 1000

SWITCH_CONTROLS = env("SWITCH_CONTROLS")

# -- safety ---------------------------------------------------------------------------------------------------------
HTTPS = env_flag("HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_HSTS_PRELOAD = False
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "billing.portals.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/api/docs/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# -- broker, cache ----------------------------------------------------------------------------------------------------
REDIS_URL = env("REDIS_URL", "redis://localhost:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "tollgate"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "usage-lapsed-chunks": {"task": "rating.tasks.requeue_lapsed_chunks", "schedule": 30.0},
    "watched-folders": {"task": "rating.tasks.watch_folders", "schedule": 15.0},
    "decks": {"task": "rating.tasks.requeue_stale_decks", "schedule": 60.0},
    "live-calls": {"task": "rating.tasks.reap_calls", "schedule": 10.0},
    "usage-partitions": {"task": "rating.tasks.make_partitions", "schedule": 6 * 3600.0},
    "reratings": {"task": "rating.tasks.requeue_reratings", "schedule": 60.0},
    "book-changes": {"task": "rating.tasks.fold_book_changes", "schedule": 600.0},
    "facts": {"task": "rating.tasks.fold_facts", "schedule": 60.0},
    "outbox": {"task": "invoicing.tasks.send_outbox", "schedule": 30.0},
    "documents": {"task": "invoicing.tasks.render_missing", "schedule": 60.0},
    "expired-holds": {"task": "accounts.tasks.release_expired_holds", "schedule": 60.0},
    "book-snapshots": {"task": "accounts.tasks.snapshot_books", "schedule": 3600.0},
    "balance-alarms": {"task": "accounts.tasks.watch_balances", "schedule": 30.0},
    "call-alarms": {"task": "rating.tasks.watch_calls", "schedule": 30.0},
    "alarm-mails": {"task": "invoicing.tasks.mail_alarms", "schedule": 15.0},
    "charges": {"task": "invoicing.tasks.post_charges", "schedule": 300.0},
    "allowances": {"task": "invoicing.tasks.settle_allowances", "schedule": 300.0},
    "overdue": {"task": "invoicing.tasks.mark_overdue", "schedule": 3600.0},
}
if env_flag("EXCHANGE_FETCH"):
    CELERY_BEAT_SCHEDULE["exchange-rates"] = {"task": "rating.tasks.fetch_exchange_rates", "schedule": 3 * 3600.0}
_CACHE_URL = REDIS_URL.replace("redis+socket://", "unix://")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _CACHE_URL}}

# -- mail -------------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = int(env("EMAIL_PORT", "1025"))
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "billing@localhost")

# -- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tiers.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["tiers.permissions.IsMember"],
    "DEFAULT_PAGINATION_CLASS": "tiers.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "tiers.parsers.ExactJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "EXCEPTION_HANDLER": "tiers.problems.problem_response",
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate API",
    "DESCRIPTION": "Billing through every tier that sells. Amounts are strings, times are ISO 8601 with offset.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {},
}

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DEMO = env_flag("TOLLGATE_DEMO")
MAIL_DIR = env("TOLLGATE_MAIL_DIR")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {name: {"level": "WARNING"} for name in ("weasyprint", "fontTools", "pikepdf")},
}
