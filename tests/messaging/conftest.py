"""What every test of messages needs: people to write to, made through the customer data API."""

from tests.cdp.conftest import people

__all__ = ["people"]
