"""The addresses of the two sites that the tests build, and what the fixtures that build them are."""

from collections.abc import Callable

from inkan.web.app import Application
from support.asgi import Client

ORIGIN = "https://id.example"
WALLET = "https://wallet.example"
Build = Callable[..., Application]
ClientOf = Callable[..., Client]
