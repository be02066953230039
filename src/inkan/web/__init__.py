"""The HTTP toolkit: everything between a socket and a feature's ``api.py`` or ``pages.py``.

Start with :mod:`inkan.web.app` (sites and groups become one ASGI application) and
:mod:`inkan.web.exchange` (one request on its way to its answer).
"""
