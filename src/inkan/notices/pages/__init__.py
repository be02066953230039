"""Pages of announcements: for everybody (``/news``), and for those who write them (``/console/news``)."""

from pathlib import Path
from typing import Final

from inkan.notices.pages.console import CONSOLE_NEWS, console_routes
from inkan.notices.pages.news import NEWS_PATH, news_routes

FOLDER: Final = Path(__file__).parents[1]
"""Where this package's templates and texts are: ``Templates({"notices": FOLDER})``."""

__all__ = ["CONSOLE_NEWS", "FOLDER", "NEWS_PATH", "console_routes", "news_routes"]
