"""The tax office of the test country: it asks by every door and shows the answer and what it is worth."""

from inkan.apps.showcase.tax_office.application import tax_office

__all__ = ["tax_office"]
