"""The texts of the certificate pages: each in every language, none left over."""

import re
from pathlib import Path

from inkan.crypto import oid_names
from inkan.pki.pages import FOLDER, MENU, texts
from inkan.web.languages import Language
from inkan.web.templates import Templates


def asked() -> set[str]:
    """Every text that the pages may ask for, from templates and tables."""
    found: set[str] = {item.text for item in MENU}
    for page in (FOLDER / "templates").glob("*.html"):
        found |= set(re.findall(r'_\("([^"]+)"', page.read_text("utf-8")))
    for table in (texts.PLACES, texts.ROLES, texts.SEXES, texts.REASONS):
        found |= set(table.values())
    found |= {text for words in texts.STATES.values() for text in words[1:]}
    for names in (
        oid_names.ATTRIBUTES,
        oid_names.EXTENSIONS,
        oid_names.POLICIES,
        oid_names.OTHER_NAMES,
    ):
        found |= set(names.values())
    found |= {meaning for _, _, meaning in oid_names.KEY_USAGES}
    found |= {meaning for _, meaning in oid_names.PURPOSES.values()}
    readers = Path(oid_names.__file__).parent / "workers"
    for reader in ("certificate_reader.py", "extension_reader.py"):
        source = (readers / reader).read_text("utf-8")
        found |= set(re.findall(r'(?:Line|_listed)\(\s*"([^"]+)"', source))
        found |= set(re.findall(r'"([A-Z][^"]+)" if ', source))
        found |= set(re.findall(r'else "([A-Z][a-z]+ [^"]+)"', source))
        found |= set(re.findall(r'(?:words=\(|term = |, \(|\(\(|: )"([A-Z][\w ,-]+)"', source))
    return found


def test_every_text_is_translated_and_none_is_left_over() -> None:
    known = Templates({"pki": FOLDER}).languages.translations
    wanted = asked()
    assert len(wanted) > 200
    for language in (Language.JA, Language.ZH_HANT):
        assert sorted(text for text in wanted if text not in known[language]) == []
    for catalogue in (FOLDER / "locale").rglob("*.po"):
        listed = re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE)
        assert sorted(set(listed) - wanted) == []
