"""Inkan (印鑑): a certificate that a natural person holds in a phone."""

__version__ = "0.1.0"
