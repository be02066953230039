"""The words every floor speaks: errors, machines, time, ids, identifiers and values that refuse to print.

Imports the standard library and msgspec only, so that a rule can be read and tested without any framework.
"""
