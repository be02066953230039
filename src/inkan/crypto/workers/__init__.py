"""The process pool, and the only modules that import pkilint, pyHanko and lxml.

The server imports :mod:`inkan.crypto.workers.pool` alone; what runs in a child is named by
:mod:`inkan.crypto.workers.contracts` and imported only there.
"""
