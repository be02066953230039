"""Pages: Jinja2 with autoescaping, no silent gaps, and one environment per language.

A package brings ``templates/``, ``static/`` and ``locale/`` beside its modules; a page is named
``{prefix}/{file}``. Templates are files of the platform and never built from input (threat 23).
"""

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from inkan.web.assets import Assets
from inkan.web.languages import Formats, Language, Languages

_HERE: Final = Path(__file__).parent


class Templates:
    """All pages of an application in all languages."""

    def __init__(
        self,
        packages: Mapping[str, Path] | None = None,
        *,
        default_language: Language = Language.EN,
        zone: tzinfo | None = None,
    ) -> None:
        """Read the pages, files and texts of ``packages`` (prefix to package folder) and of this toolkit.

        ``zone`` is where the instance's readers live; dates are shown in it.

        Raises:
            CatalogueRefused: a translation is missing, empty or contradicts another one.
        """
        folders = {"web": _HERE, **(packages or {})}
        locales = [folder / "locale" for folder in folders.values() if (folder / "locale").is_dir()]
        self.assets = Assets({prefix: folder / "static" for prefix, folder in folders.items()})
        self.languages = Languages(locales, default=default_language)
        self.formats = {
            language: Formats(language, zone or ZoneInfo("Asia/Taipei")) for language in Language
        }
        loader = PrefixLoader(
            {prefix: FileSystemLoader(folder / "templates") for prefix, folder in folders.items()}
        )
        self._environments = {
            language: self._environment(language, loader) for language in Language
        }

    def render(self, template: str, language: Language, /, **facts: Any) -> str:
        """Return the page as text. A fact that the template names and nobody gave is an error."""
        return self._environments[language].get_template(template).render(facts)

    def _environment(self, language: Language, loader: PrefixLoader) -> Environment:
        environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            auto_reload=False,
        )
        texts = self.languages.translations[language]
        environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            asset=self.assets.url,
            integrity=self.assets.integrity,
            language=language,
            languages=tuple(Language),
            formats=self.formats[language],
        )
        return environment
