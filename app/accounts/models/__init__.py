"""Tables of accounts."""

from app.accounts.models.api_key import ApiKey, Scope
from app.accounts.models.audit import AuditEntry
from app.accounts.models.invitation import Invitation
from app.accounts.models.membership import SUPERADMIN, Membership, Role
from app.accounts.models.second_factor import BackupCode, Passkey, TotpSecret
from app.accounts.models.session import RefreshToken, SessionKind, UserSession
from app.accounts.models.tenant import Tenant
from app.accounts.models.user import User

__all__ = [
    "SUPERADMIN",
    "ApiKey",
    "AuditEntry",
    "BackupCode",
    "Invitation",
    "Membership",
    "Passkey",
    "RefreshToken",
    "Role",
    "Scope",
    "SessionKind",
    "Tenant",
    "TotpSecret",
    "User",
    "UserSession",
]
