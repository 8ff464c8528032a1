import re

from infra.generate.settings_page import PAGE, cms_settings, mail_settings, page, settings
from infra.topology import ROOT
from shared.settings import read_settings

FILES = ("shared/settings.py", "shared/mail/settings.py", "shared/adapters/cms/settings.py")
SOURCE = "".join((ROOT / file).read_text() for file in FILES)


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run python -m infra.generate.settings_page"


def test_every_setting_of_the_code_is_on_it_once() -> None:
    names = [setting.name for setting in (*settings(), *mail_settings(), *cms_settings())]
    assert len(names) == len({*names})
    assert {*re.findall(r'"(UPBEAT_[A-Z_]+)"', SOURCE)} <= {*names}


def test_every_setting_of_the_command_line_is_on_it() -> None:
    infra = "".join(file.read_text() for file in (ROOT / "infra").rglob("*.py"))
    named = {*re.findall(r'"(UPBEAT_[A-Z_]+)"', infra)}
    assert named - {*re.findall(r"`(UPBEAT_[A-Z_]+)`", page())} == set()


def test_a_default_is_what_a_function_has_without_the_variable() -> None:
    defaults = {setting.name: setting.default for setting in settings()}
    assert defaults["UPBEAT_GRACE_DAYS"] == f"`{read_settings({'GOOGLE_CLOUD_PROJECT': 'p'}).terms.grace.days}`"
    assert defaults["UPBEAT_LOG_LEVEL"] == "`INFO`"
    assert defaults["GOOGLE_CLOUD_PROJECT"] == "required"
