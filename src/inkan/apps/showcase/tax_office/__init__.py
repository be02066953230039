"""The tax office of the test country: a page that shows the rotating code and then the answer."""

from inkan.apps.showcase.tax_office.application import tax_office

__all__ = ["tax_office"]
