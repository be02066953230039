"""The process pool, and the only modules that import pkilint, pyHanko, lxml, fpdf2 and fontTools.

The server imports :mod:`inkan.crypto.workers.pool` alone; what runs in a child is named by
:mod:`inkan.crypto.workers.contracts` and imported only there.
"""
