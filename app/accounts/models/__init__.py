"""Tables of accounts."""

from app.accounts.models.membership import Membership, Role
from app.accounts.models.session import UserSession
from app.accounts.models.tenant import Tenant
from app.accounts.models.user import User

__all__ = ["Membership", "Role", "Tenant", "User", "UserSession"]
