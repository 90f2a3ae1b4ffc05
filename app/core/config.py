"""Typed settings, read once from the environment; a bad or missing one stops start-up with a clear sentence."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]
DEMO_PASSWORD = "parley-demo"
DEV_SECRET = "parley-development-secret-not-for-production"
TWILIO_CONNECT_SECONDS = 5.0  # longest wait for a connection; the answer is waited for by itself
DEV_FIELD_KEY = "cGFybGV5LWRldmVsb3BtZW50LWZpZWxkLWtleS0wMDA="


class ConfigurationError(RuntimeError):
    """The environment does not describe a product that can start."""


class Settings(BaseSettings):
    """Every setting of the product, named as in .env.example."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "production", "test"] = "development"
    demo_mode: bool = False
    demo_email: str = "demo@parley.example"
    demo_password: str = DEMO_PASSWORD
    secret_key: str = DEV_SECRET
    field_keys: str = DEV_FIELD_KEY  # comma-separated Fernet keys, newest first
    data_dir: Path = ROOT / "instance"
    database_url: str = ""
    redis_url: str = "redis://127.0.0.1:6379/0"
    port: int = 8080
    public_url: str = ""
    trusted_proxies: int = Field(0, ge=0, le=5)
    allowed_hosts: str = ""  # comma-separated; empty: any
    messaging_host: str = ""
    cookie_secure: bool | None = None  # default: on in production
    max_body_bytes: int = 2 * 1024 * 1024
    import_max_bytes: int = 200 * 1024 * 1024
    session_days: int = 14
    refresh_days: int = 30
    jwt_keys: str = ""  # comma-separated secrets, newest first; empty: derived from secret_key
    log_level: str = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"
    metrics_token: str = ""

    index_cache_mb: int = Field(384, ge=16, le=65_536)
    job_lease_seconds: float = 20.0
    job_heartbeat_seconds: float = 4.0
    sse_heartbeat_seconds: float = 15.0
    sse_recheck_seconds: float = Field(60.0, gt=0)
    sse_max_streams: int = 2500
    rate_limit_factor: float = Field(1.0, gt=0, allow_inf_nan=False)
    argon2_memory_kib: int = 65536
    argon2_time_cost: int = 3
    login_refusal_seconds: float = Field(0.4, ge=0, le=5)

    smtp_host: str = ""  # empty: no mail is sent
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: str = ""
    smtp_from: str = ""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"

    twilio_account_sid: str = ""  # empty: no message is sent unless a workspace brings its own account
    twilio_auth_token: str = ""
    twilio_base_url: str = "https://api.twilio.com"
    twilio_content_base_url: str = "https://content.twilio.com"
    twilio_messaging_base_url: str = "https://messaging.twilio.com"
    twilio_sms_sender: str = ""  # E.164, a short code, or a messaging service's MG…
    twilio_whatsapp_sender: str = ""
    twilio_timeout_seconds: float = Field(10.0, gt=0, le=50)  # a call is over before the gate forgets it
    twilio_sender_rate: float = Field(10.0, ge=0, le=10_000)  # messages a second of the shared senders; 0: no limit
    message_threads: int = Field(16, ge=1, le=256)
    message_lanes: int = Field(2, ge=1, le=64)
    message_claim_seconds: float = Field(60.0, gt=0)
    message_doubt_seconds: float = Field(30.0, ge=0)
    slack_base_url: str = ""  # stands in for https://hooks.slack.com

    sandbox_url: str = ""
    allow_private_urls: bool | None = None  # default: follows demo_mode

    anthropic_api_key: str = ""
    openai_api_key: str = ""
    deepseek_api_key: str = ""
    groq_api_key: str = ""
    perplexity_api_key: str = ""
    local_api_key: str = ""
    anthropic_base_url: str = "https://api.anthropic.com"
    openai_base_url: str = "https://api.openai.com/v1"
    deepseek_base_url: str = "https://api.deepseek.com"
    groq_base_url: str = "https://api.groq.com/openai/v1"
    perplexity_base_url: str = "https://api.perplexity.ai"
    local_base_url: str = ""
    anthropic_model: str = ""
    openai_model: str = ""
    deepseek_model: str = ""
    groq_model: str = ""
    perplexity_model: str = ""
    local_model: str = ""
    ai_order: str = "anthropic,openai,deepseek,groq,local,builtin"
    ai_research_order: str = "perplexity,anthropic,openai,deepseek,groq,local,builtin"
    ai_timeout_seconds: float = 60.0
    ai_max_retries: int = 2
    ai_monthly_budget_usd: float = 50.0
    builtin_token_delay_ms: float = 12.0

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> Settings:
        if self.environment == "production":
            if self.secret_key == DEV_SECRET or len(self.secret_key) < 32:
                raise ValueError("SECRET_KEY must be set to a secret of 32 characters or more in production")
            if DEV_FIELD_KEY in self.field_keys or not self.field_keys:
                raise ValueError("FIELD_KEYS must be set to your own Fernet keys in production")
            if any(len(key.strip()) < 32 for key in self.jwt_keys.split(",") if key.strip()):
                raise ValueError("JWT_KEYS must be secrets of 32 characters or more in production")
            if self.demo_mode and self.demo_password == DEMO_PASSWORD:
                raise ValueError("DEMO_PASSWORD must be set to your own in production with DEMO_MODE")
        return self

    @model_validator(mode="after")
    def _mail_needs_a_sender(self) -> Settings:
        name, address = parseaddr(self.smtp_from)
        try:
            sender = Address(name, addr_spec=address) if self.smtp_host else None
        except (ValueError, IndexError, MessageError):  # what the parser raises for what is no address
            sender = None
        if self.smtp_host and (sender is None or not sender.domain):
            raise ValueError("SMTP_FROM must be set to the sender's address when SMTP_HOST is set")
        return self

    @model_validator(mode="after")
    def _messages_are_looked_up_late_enough(self) -> Settings:
        least = self.longest_call_seconds + self.message_doubt_seconds + 1
        if self.message_claim_seconds < least:
            raise ValueError(
                f"MESSAGE_CLAIM_SECONDS must be {least:g} or more with this TWILIO_TIMEOUT_SECONDS and "
                "MESSAGE_DOUBT_SECONDS, or a message could be sent twice"
            )
        return self

    @field_validator("field_keys")
    @classmethod
    def _are_fernet_keys(cls, value: str) -> str:
        try:
            keys = [Fernet(key.strip().encode()) for key in value.split(",") if key.strip()]
        except ValueError:
            keys = []
        if not keys:
            raise ValueError("must be one or more Fernet keys, separated by commas")
        return value

    @property
    def sqlalchemy_url(self) -> str:
        """The database address, SQLite under DATA_DIR unless DATABASE_URL is set."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.resolve() / 'parley.db'}"
        if self.database_url.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        return self.database_url

    @property
    def longest_call_seconds(self) -> float:
        """When a call to the messages' provider that began now is given up."""
        return min(TWILIO_CONNECT_SECONDS, self.twilio_timeout_seconds) + self.twilio_timeout_seconds

    @property
    def secure_cookies(self) -> bool:
        return self.environment == "production" if self.cookie_secure is None else self.cookie_secure

    @property
    def private_urls_allowed(self) -> bool:
        return self.demo_mode if self.allow_private_urls is None else self.allow_private_urls


def load_settings() -> Settings:
    """Read the environment; raise ConfigurationError naming each bad setting."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("The configuration cannot be used. " + "; ".join(lines)) from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()
