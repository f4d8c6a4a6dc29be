"""Every setting, read top to bottom; closed by default. What must never be wrong in production is a system check."""

from urllib.parse import urlsplit

from config import env, home, logs, pages, storage
from config.env import BASE_DIR
from telehealth.portal import csp
from telehealth.rest import description

# --- Who we are -----------------------------------------------------------------------------------
DEBUG = False
DEMO = env.flag("TELEHEALTH_DEMO")  # set by `make run` alone: http cookies, /dev/, loopback only
HOME = home.current()
SECRET_KEY = env.text("SECRET_KEY")
PUBLIC_URL = env.text("PUBLIC_URL")  # where browsers and apps reach us: https://clinic.example
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", [urlsplit(PUBLIC_URL).hostname or "localhost"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Rooms, from the ground floor up ---------------------------------------------------------------
INSTALLED_APPS = [
    "audit.ledger",
    "auditlog",
    "telehealth.core",
    "telehealth.rest",
    "telehealth.portal",
    "telehealth.vault",
    "telehealth.accounts",
    "telehealth.outbox",
    "telehealth.records",
    "audit.review",
    "scheduling",
    "consults",
    "prescribing",
    "telehealth.rehearsal",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "oauth2_provider",
    "django_otp_webauthn",
    "telehealth.accounts.apps.AdminSiteConfig",  # django.contrib.admin, behind the second factor
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "audit.ledger.middleware.UnitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "telehealth.portal.csp.Middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "telehealth.accounts.sessions.SessionClock",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "telehealth.portal.frame.frame",
            ]
        },
    }
]

# --- Database: two roles. The runtime role has no DDL and cannot change an audit entry --------------
_POOL = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
_APP = home.database("app")
DATABASES = {
    "default": {**_APP, **_POOL, "ENGINE": "audit.ledger.postgres", "OPTIONS": {**_APP["OPTIONS"], "server_side_binding": True}},
}
if env.text("MIGRATION_DATABASE_URL", ""):  # migrations only (`manage.py migrate`); web, worker and sealer are started without it
    DATABASES["owner"] = {**home.database("owner"), "TEST": {"NAME": "test_telehealth"}}
MIGRATION_MODULES = {"auditlog": None}  # its table is ours

# --- Broker: Celery and sockets ---------------------------------------------------------------------
REDIS_URL = home.redis_url()
CELERY_BROKER_URL = home.broker_url()
# A commit does not wait for a broker that is down; the sweeps find the work later.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "forget-idempotency-keys": {"task": "rest.tasks.forget_old_keys", "schedule": 3600},
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL], "prefix": "ws"}}}

# --- Visits: nothing is contacted that the operator has not named here -------------------------------
VISIT_CONSENTS = {"telehealth": "1"}  # what a patient consents to at check-in: code and version of its text
SHARING_CONSENTS = dict.fromkeys(("PSYTHPN", "SUD", "SEX", "HIV", "ADOL"), "1")  # sensitive category: version of the text agreed to
STUN_URLS, TURN_URLS = env.listed("STUN_URLS", []), env.listed("TURN_URLS", [])
TURN_SECRET = env.text("TURN_SECRET", "")  # shared with the TURN server, which makes credentials of it (REST scheme)
ICE_TRANSPORT_POLICY = "relay" if env.flag("ICE_RELAY_ONLY") else "all"
CELERY_BEAT_SCHEDULE["visits"] = {"task": "consults.tasks.sweep", "schedule": 30.0, "options": {"expires": 30}}

NO_SHOW_GRACE_MINUTES = env.number("NO_SHOW_GRACE_MINUTES", 15)  # after the start; then the clock calls an appointment missed
PROVIDER_LATE_MINUTES = env.number("PROVIDER_LATE_MINUTES", 5)  # after the start a provider is late; then nobody is a no-show
WAITLIST_OFFER_MINUTES = env.number("WAITLIST_OFFER_MINUTES", 30)  # how long a time is held for who waits; less when its start is near
LICENSURE = env.text("LICENSURE", "enforce")  # nobody is seen in a state without leave to practise there; "off": outside the United States

# --- Audit log ---------------------------------------------------------------------------------------
AUDITLOG_LOGENTRY_MODEL = "audit.Entry"
_AUDIT_KEYS = {  # whether the files hold the keys themselves, or blobs that the vault's provider unwraps
    "local": ("audit.ledger.keys.LocalMac", "audit.ledger.keys.LocalSigner"),
    "vault": ("telehealth.vault.audit_keys.VaultMac", "telehealth.vault.audit_keys.VaultSigner"),
}
AUDIT_MAC, AUDIT_SIGNER = _AUDIT_KEYS[env.text("AUDIT_KEYS", "local")]
AUDIT_MAC_KEY_FILE = env.path_of("AUDIT_MAC_KEY")  # web, worker, sealer, verifier
AUDIT_MAC_KEY = "" if AUDIT_MAC_KEY_FILE else env.text("AUDIT_MAC_KEY")
AUDIT_SIGNING_KEY_FILE = env.path_of("AUDIT_SIGNING_KEY")  # given to the sealer alone
AUDIT_ORIGIN = env.text("AUDIT_ORIGIN", f"{urlsplit(PUBLIC_URL).netloc}/audit")
AUDIT_CHECKPOINTS = HOME.checkpoints
AUDIT_ALARM = "audit.review.alarms.tell_privacy_officers"
AUDIT_SEALER_ROLE = env.text("AUDIT_SEALER_ROLE", "tele_sealer")  # where the cluster has it, the runtime role writes no leaves
AUDIT_RETENTION_YEARS = env.number("AUDIT_RETENTION_YEARS", 6)  # in the database; archives stay. Less is refused
AUDIT_ARCHIVE_CIPHER = "telehealth.vault.files.archives.Cipher"
AUDIT_LAG_SECONDS = env.number("AUDIT_LAG_SECONDS", 60)
AUDIT_WITNESS_TOKENS = env.listed("AUDIT_WITNESS_TOKENS", [])  # SHA-256 of each, in hex; none: /audit/log/ is not there
AUDIT_BUCKET, AUDIT_BUCKET_PREFIX = env.text("AUDIT_BUCKET", ""), env.text("AUDIT_BUCKET_PREFIX", "")
AUDIT_BUCKET_REGION, AUDIT_BUCKET_ENDPOINT = env.text("AUDIT_BUCKET_REGION", ""), env.text("AUDIT_BUCKET_ENDPOINT", "")
AUDIT_BUCKET_LOCK = env.text("AUDIT_BUCKET_LOCK", "COMPLIANCE")  # or GOVERNANCE
AUDIT_BUCKET_DAYS = env.number("AUDIT_BUCKET_DAYS", 2192)  # six years
CELERY_BEAT_SCHEDULE["sealing"] = {"task": "audit.ledger.tasks.watch", "schedule": 10.0, "options": {"expires": 10}}
if AUDIT_BUCKET:
    CELERY_BEAT_SCHEDULE["published log"] = {"task": "audit.ledger.tasks.publish_log", "schedule": env.number("AUDIT_BUCKET_SECONDS", 300)}

# --- Review: when the clinic is open, and how soon emergency access is looked at -----------------------
CLINIC_OPENS, CLINIC_CLOSES = env.text("CLINIC_OPENS", "07:00"), env.text("CLINIC_CLOSES", "20:00")  # by the clinic's clock
CLINIC_DAYS = {int(day) for day in env.listed("CLINIC_DAYS", ["0", "1", "2", "3", "4"])}  # Monday is 0
REVIEW_EMERGENCY_HOURS = env.number("REVIEW_EMERGENCY_HOURS", 24)
REVIEW_SETTLES_MINUTES = 60  # what asks for a reason waits so long for the reason to be written down
REVIEW_ON_DUTY = "scheduling.selectors.is_on_duty"  # (account, moment): somebody who works when the clinic is closed
CELERY_BEAT_SCHEDULE["review"] = {"task": "audit.review.tasks.review", "schedule": 60.0, "options": {"expires": 60}}
CELERY_BEAT_SCHEDULE["incidents"] = {"task": "audit.review.tasks.remind", "schedule": 3600.0}

# --- Vault --------------------------------------------------------------------------------------------
VAULT_PROVIDER = env.text("VAULT_PROVIDER", "local")  # or aws, transit: who wraps the keys of the keyring (docs/keys.md)
VAULT_KEYRING_FILE = env.file_of("VAULT_KEYRING")  # read when a key is needed, and again when it changes; never kept here
VAULT_KMS_KEY, VAULT_KMS_ENDPOINT = env.text("VAULT_KMS_KEY", ""), env.text("VAULT_KMS_ENDPOINT", "")
TRANSIT_ADDR, TRANSIT_CACERT = env.text("VAULT_ADDR", ""), env.text("VAULT_CACERT", "")  # HashiCorp's own names
TRANSIT_NAMESPACE, TRANSIT_TOKEN_FILE = env.text("VAULT_NAMESPACE", ""), env.path_of("VAULT_TOKEN")
TRANSIT_KEY, TRANSIT_MOUNT = env.text("VAULT_TRANSIT_KEY", "telehealth"), env.text("VAULT_TRANSIT_MOUNT", "transit")
STORAGES = {  # there is no "default": nothing is laid down unsealed
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "archives": storage.place(HOME.root / "archives", env.text("AUDIT_ARCHIVE_BUCKET", "")),
    "sealed": storage.place(HOME.root / "files", env.text("SEALED_FILES_BUCKET", "")),
}
CELERY_BEAT_SCHEDULE["sealed files swept"] = {"task": "telehealth.vault.tasks.sweep_files", "schedule": 86_400.0}

# --- Wiring by dotted path: what a lower floor needs from a higher one ----------------------------------
REST_GATE = "telehealth.accounts.access.gate"
DEMO_CLINIC = [
    "telehealth.accounts.demo.make",
    "telehealth.records.demo.make",
    "scheduling.demo.make",
    "prescribing.demo.make",
]
NOTIFY = "telehealth.outbox.services.notify"
INVITATION_ACCEPTED = "telehealth.records.services.attach_account"
LEAVERS = [  # what ends with somebody of the staff, and what they leave open
    "telehealth.records.services.end_work",
    "scheduling.selectors.left_open",
    "scheduling.services.end_feeds",
    "scheduling.services.end_busy_calendars",
    "consults.selectors.left_open",
    "prescribing.selectors.left_open",
]
SESSION_HELD_BY = "consults.selectors.is_in_visit"  # whose session idleness locks instead of ending it
ME_EXTRAS = "telehealth.records.hooks.me_extras"
RECORD_NEEDED_BY = [
    "audit.review.selectors.accounting_owed",
    "scheduling.selectors.stands_for",
]  # a record that one of these needs is not destroyed
HOLD_MINUTES = min(10, max(5, env.number("HOLD_MINUTES", 10)))  # how long a time is held that nobody has confirmed yet: 5 to 10
CELERY_BEAT_SCHEDULE["freed time"] = {"task": "scheduling.tasks.offer_freed", "schedule": 30.0, "options": {"expires": 30}}
CARE_DAYS_AFTER_VISIT = 30  # how long the provider sees the record after an appointment that they kept

# --- Accounts: two factors for everyone ------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["telehealth.accounts.authentication.Accounts"]
PASSWORD_HASHERS = ["telehealth.accounts.passwords.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "telehealth.accounts.passwords.Uncommon", "OPTIONS": {"more": env.path_of("COMMON_PASSWORDS")}},
]
LOGIN_URL = "sign-in"
SESSION_ENGINE = "django.contrib.sessions.backends.cache"  # ids and times only; limits: telehealth.accounts.sessions
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "cache"}}
OIDC_SIGNING_KEY = env.text("OIDC_RSA_PRIVATE_KEY", "")  # PEM; without it apps get no identity tokens
OIDC_OTHER_KEYS = env.text("OIDC_RSA_OTHER_KEYS", "")  # PEMs, published beside it: the one that comes next, those that went before
ANDROID_APPS = env.listed("ANDROID_APPS", [])  # package=SHA-256 of its certificate, with colons: opened by https redirect addresses of ours
APPLE_APPS = env.listed("APPLE_APPS", [])  # team id.bundle id
OTP_WEBAUTHN_CREDENTIAL_MODEL = "accounts.Passkey"
OTP_WEBAUTHN_ATTESTATION_MODEL = "accounts.Attestation"
OTP_WEBAUTHN_RP_ID = urlsplit(PUBLIC_URL).hostname or "localhost"  # passkeys belong to this name for good
OTP_WEBAUTHN_RP_NAME = "Telehealth"
OTP_WEBAUTHN_ALLOWED_ORIGINS = [PUBLIC_URL.rstrip("/")]
OTP_WEBAUTHN_TIMEOUT_SECONDS = 300
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "accounts.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "accounts.AccessToken"  # noqa: S105  # a model
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "accounts.RefreshToken"  # noqa: S105  # a model
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "accounts.IDToken"  # noqa: S105  # a model
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "telehealth.accounts.oauth.Validator",
    "APPLICATION_ADMIN_CLASS": "telehealth.accounts.admin.ApplicationAdmin",
    "SCOPES_BACKEND_CLASS": "telehealth.accounts.app_scopes.Scopes",
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": PUBLIC_URL.rstrip("/"),  # the issuer
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", *env.listed("APP_SCHEMES", ["org.example.telehealth"] if DEMO else [])],
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "refresh_token"],
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT PASSWORD_GRANT PKCE_METHOD ACCESS_TOKEN_TRANSPORT AUTHZ_RESPONSE_ISS "
            "TOKEN_STORAGE REFRESH_TOKEN REDIRECT_URI_SCHEME REDIRECT_URI_MATCHING PKCE_REQUIRED"
        ).split()
    },
}

# --- Outbox: what leaves, by destination; retries in seconds, then parked for a person to look ------------
OUTBOX_HANDLERS = {
    "email": "telehealth.outbox.channels.email",
    "sms": "telehealth.outbox.channels.sms",
    "pharmacy": "prescribing.transmission.deliver",
}
OUTBOX_PARKED = {"pharmacy": "prescribing.transmission.parked"}
OUTBOX_ADDRESS_BOOK = "telehealth.records.addresses.address_of"
OUTBOX_LINKS = {
    "appointment_answer": "scheduling.reminding.answer_path",
    "appointment_unlicensed": "scheduling.reminding.desk_path",
    "email_change": "telehealth.accounts.selectors.email_change_path",
    "invitation": "telehealth.accounts.selectors.invitation_path",
}
OUTBOX_FACTS = {"appointment_reminder": "scheduling.reminding.facts"}  # kind: what its sentence is filled with; no health data
OUTBOX_CHECKS = {"appointment_reminder": "scheduling.reminding.check"}  # kind: raises Skip when it is no longer to be said
OUTBOX_ATTACHMENTS = dict.fromkeys(  # kind: what goes along with its mail
    ("appointment_booked", "appointment_changed", "appointment_cancelled"), "scheduling.invites.attached"
)
APPOINTMENT_REMINDERS = [int(each) for each in env.listed("APPOINTMENT_REMINDERS", ["1440", "120"])]  # minutes before the start
CELERY_BEAT_SCHEDULE["reminders"] = {"task": "scheduling.tasks.remind", "schedule": 300.0, "options": {"expires": 300}}
OUTBOX_BACKOFF_SECONDS = (1, 2, 5, 15, 60) if DEMO else (60, 300, 900, 3600)
OUTBOX_LEASE_SECONDS = 60
CELERY_BEAT_SCHEDULE["roles to confirm"] = {"task": "telehealth.accounts.tasks.remind_reviewers", "schedule": 86_400.0}
CELERY_BEAT_SCHEDULE["roles ended"] = {"task": "telehealth.accounts.tasks.end_roles", "schedule": 30.0, "options": {"expires": 30}}
CELERY_BEAT_SCHEDULE["ages followed"] = {"task": "telehealth.records.tasks.follow_ages", "schedule": 3600.0, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["busy calendars"] = {"task": "scheduling.tasks.read_calendars", "schedule": 60.0, "options": {"expires": 60}}
CELERY_BEAT_SCHEDULE["hours expanded"] = {"task": "scheduling.tasks.keep_expanded", "schedule": 3600.0, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE["outbox tidied"] = {"task": "telehealth.outbox.tasks.tidy", "schedule": 86_400.0}
CELERY_BEAT_SCHEDULE["outbox"] = {"task": "telehealth.outbox.tasks.deliver", "schedule": 2.0, "options": {"expires": 2}}
CATCHER_URL = env.text("CATCHER_URL", "") if DEMO else ""
OUTBOX_SMS = "telehealth.rehearsal.mail.send_text" if DEMO else env.text("SMS_PORT", "")  # (to, text, key); empty: none are sent
SMS_INBOUND_SECRET = env.text("SMS_INBOUND_SECRET", "")  # shared with the SMS gateway; empty: nothing comes in
EMAIL_BACKEND = "telehealth.rehearsal.mail.Backend" if DEMO else "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = env.text("EMAIL_HOST", "localhost"), env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_USER", ""), env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = not env.flag("EMAIL_WITHOUT_TLS")
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"no-reply@{urlsplit(PUBLIC_URL).hostname or 'localhost'}")

OUTBOUND_TRUSTED = env.listed(
    "OUTBOUND_TRUSTED", []
)  # host:port of servers in our own network that given addresses may lead to, by http too

# --- Prescriptions: the pharmacy network, and who we are to it -----------------------------------------------
PHARMACY_NETWORK_URL = env.text("PHARMACY_NETWORK_URL", "")  # empty: nothing can be signed
PHARMACY_NETWORK_SECRET = env.text("PHARMACY_NETWORK_SECRET", "")
SCRIPT_CLINIC_ID = env.text("SCRIPT_CLINIC_ID", "telehealth-demo" if DEMO else "")
_CLINIC = env.text("CLINIC_ADDRESS", "1 Harbor Way; Quincy; MA; 02169" if DEMO else "").split(";")
CLINIC_ADDRESS = dict(zip(("line", "city", "state", "postal_code"), map(str.strip, _CLINIC), strict=False))
CLINIC_PHONE = env.text("CLINIC_PHONE", "6175550100" if DEMO else "")

# --- REST ------------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_RENDERER_CLASSES": ["telehealth.rest.rendering.JSON"],
    "DEFAULT_PARSER_CLASSES": ["telehealth.rest.parsing.JSONBody"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["telehealth.accounts.authentication.Bearer", "telehealth.accounts.authentication.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["telehealth.rest.permissions.DeclaredOnly"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "telehealth.rest.rendering.JSONAlways",
    "DEFAULT_SCHEMA_CLASS": "telehealth.rest.schema.FaceSchema",
    "EXCEPTION_HANDLER": "telehealth.rest.problems.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = description.SPECTACULAR
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Web: strict everywhere; only a demonstration may speak http ------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEMO
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "sessionid" if DEMO else "__Host-session"
CSRF_COOKIE_NAME = "csrftoken" if DEMO else "__Host-csrf"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 0 if DEMO else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEMO
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.PAGES}

# --- Portal -----------------------------------------------------------------------------------------------
FORM_RENDERER = "telehealth.portal.forms.Renderer"
PORTAL_GUARD = "telehealth.accounts.sessions.guard"
PORTAL_STEP_UP = "step-up-page"  # URL name of where a fresh factor is shown
PORTAL_ZONE = "telehealth.records.portal.banner.zone_of"
CLINIC_NAME = env.text("CLINIC_NAME", "Telehealth")  # in text messages; at most 30 characters, and no specialty
CLINIC_TIME_ZONE = env.text("CLINIC_TIME_ZONE", "America/New_York")  # for pages of who has no zone of their own
PORTAL_MENU, PORTAL_HOME, PORTAL_SLOTS = pages.menu(demo=DEMO), pages.HOME, pages.SLOTS
# Files are read in memory only: what people import is never laid down on a disk in the clear.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# --- Languages and time -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = HOME.root / "static"

# --- Logs: allow-listed keys, exceptions without values ------------------------------------------------------
LOGGING = logs.LOGGING
