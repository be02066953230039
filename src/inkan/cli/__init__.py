"""The command line: one root whose nouns are a table; a noun's module is imported when it is called."""

from inkan.cli.root import main

__all__ = ["main"]
