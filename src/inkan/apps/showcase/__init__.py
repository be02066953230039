"""Agencies of the test country, to see the platform from the other side."""
