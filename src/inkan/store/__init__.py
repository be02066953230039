"""Transactions, queries, background work and sealed columns over SQLite or PostgreSQL.

Start with ``database`` (what a transaction is) and ``query`` (what one may yield); ``connect`` opens either
database from its URL.
"""
