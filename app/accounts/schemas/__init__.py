"""What accounts take in and answer with, by subject."""

from app.accounts.schemas.credentials import Credentials, SignInCredentials

__all__ = ["Credentials", "SignInCredentials"]
