import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.deploy.package import compose, zip_function
from infra.errors import InfraError
from infra.topology import ROOT, load
from tests.infra.deploy.small_repository import write_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "repository")


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_composed_folder_holds_what_the_function_needs_and_nothing_else(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository)
    assert files(composed) == {
        "main.py",
        "requirements.txt",
        "shared/__init__.py",
        "shared/greeting.py",
        "shared/words/__init__.py",
        "shared/words/hello.py",
    }


def greeted(composed):
    """The output of the composed function, in a process that has nothing else of the project."""
    program = f"import sys; sys.path.append({str(composed)!r}); import main; print(main.HELLO)"
    return subprocess.check_output([sys.executable, "-I", "-c", program], text=True)  # noqa: S603 - ours


def test_a_composed_function_finds_its_shared_code_with_its_own_folder_alone_on_the_path(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository, precompile=True)
    assert greeted(composed) == "hello\n"


def test_precompiled_code_stays_valid_when_its_source_is_touched(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository, precompile=True)
    (composed / "shared/words/hello.py").write_text('HELLO = "changed"')
    assert greeted(composed) == "hello\n"


def test_a_change_of_a_source_is_packaged_though_it_was_packaged_before(repository, tmp_path):
    compose("greet", tmp_path / "before", root=repository, precompile=True)
    (repository / "shared/words/hello.py").write_text('HELLO = "changed"')
    assert greeted(compose("greet", tmp_path / "after", root=repository, precompile=True)) == "changed\n"


def test_a_function_that_does_not_exist_is_named(repository, tmp_path):
    with pytest.raises(InfraError, match=r"cannot package gret: functions/gret/main\.py does not exist"):
        compose("gret", tmp_path / "out", root=repository)


def test_missing_requirements_are_named(repository, tmp_path):
    (repository / "requirements.txt").unlink()
    with pytest.raises(InfraError, match=r"requirements\.txt does not exist"):
        compose("greet", tmp_path / "out", root=repository)


def test_nothing_is_composed_over_what_is_there(repository, tmp_path):
    (tmp_path / "precious.txt").write_text("keep")
    with pytest.raises(InfraError, match="expected an empty folder"):
        compose("greet", tmp_path, root=repository)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither file modes nor a umask")
def test_the_same_sources_give_the_same_zip_whenever_and_however_they_were_written(repository, tmp_path):
    first = zip_function("greet", tmp_path / "first.zip", root=repository).read_bytes()
    before = os.umask(0o077)
    try:
        again = write_repository(tmp_path / "again")
        for path in again.rglob("*"):
            os.utime(path, (1e9, 1e9))
        assert zip_function("greet", tmp_path / "second.zip", root=again).read_bytes() == first
    finally:
        os.umask(before)


def test_the_same_sources_give_the_same_zip_in_whatever_order_the_file_system_lists_them(
    repository, tmp_path, monkeypatch
):
    first = zip_function("greet", tmp_path / "first.zip", root=repository).read_bytes()
    listed = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda folder, pattern: reversed(list(listed(folder, pattern))))
    assert zip_function("greet", tmp_path / "second.zip", root=repository).read_bytes() == first


def test_every_entry_of_a_zip_is_the_same_kind_of_file_on_every_system(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with ZipFile(zip_function("greet", tmp_path / "greet.zip", root=repository)) as bundle:
        entries = bundle.infolist()
    assert {(entry.create_system, entry.external_attr >> 16, entry.date_time) for entry in entries} == {
        (3, 0o100644, (1980, 1, 1, 0, 0, 0))
    }


def test_a_change_gives_another_zip(repository, tmp_path):
    first = zip_function("greet", tmp_path / "a.zip", root=repository).read_bytes()
    (repository / "shared/words/hello.py").write_text("HELLO = 'good day'\n")
    assert zip_function("greet", tmp_path / "b.zip", root=repository).read_bytes() != first


def test_a_change_in_a_module_that_a_function_does_not_import_leaves_its_zip_as_it_is(repository, tmp_path):
    first = zip_function("greet", tmp_path / "a.zip", root=repository).read_bytes()
    (repository / "shared/words/goodbye.py").write_text("GOODBYE = 'until tomorrow'\n")
    assert zip_function("greet", tmp_path / "b.zip", root=repository).read_bytes() == first


def test_the_zip_holds_the_composed_folder(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository)
    with ZipFile(zip_function("greet", tmp_path / "greet.zip", root=repository)) as bundle:
        assert bundle.namelist() == sorted(files(composed))
        assert bundle.read("main.py") == (composed / "main.py").read_bytes()


def test_a_zip_that_cannot_be_made_leaves_the_last_one_as_it_was(repository, tmp_path):
    archive = zip_function("greet", tmp_path / "greet.zip", root=repository)
    last = archive.read_bytes()
    (repository / "shared/words/hello.py").write_text("HELLO = ")
    with pytest.raises(InfraError, match=r"cannot package shared/words/hello\.py"):
        zip_function("greet", archive, root=repository)
    assert archive.read_bytes() == last


ZIPPED = sorted({*load().deployed, *load().consumers, *load().pages})


@pytest.fixture(scope="module", params=ZIPPED)
def packed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in the zip of each function of the table."""
    with ZipFile(zip_function(request.param, tmp_path_factory.mktemp("zip") / "function.zip")) as bundle:
        return set(bundle.namelist())


def test_every_function_of_the_table_can_be_packaged(packed):
    assert {"main.py", "requirements.txt", "shared/__init__.py", "shared/wiring.py"} <= packed


def test_no_function_carries_what_only_local_runtimes_and_commands_use(packed):
    local = {"shared/adapters/sqlite.py", "shared/adapters/fixed.py", "shared/adapters/gcp/catalog_publisher.py"}
    assert all((ROOT / path).is_file() for path in local)
    assert packed & local == set()


def test_a_function_of_events_carries_neither_queries_nor_the_api_and_a_service_has_both(tmp_path):
    table = load()
    for name in table.deployed:
        packed = files(compose(name, tmp_path / name))
        rooms = {path.partition("/")[2].rpartition("/")[0] for path in packed}
        expected = {"queries", "entrypoints/api"} if name in table.services else set()
        assert rooms & {"queries", "entrypoints/api"} == expected


def test_only_the_clock_carries_the_use_case_of_a_tick(tmp_path):
    functions = ZIPPED
    for function in functions:
        compose(function, tmp_path / function)
    carriers = [name for name in functions if (tmp_path / name / "shared/application/tick.py").exists()]
    assert carriers == ["lifecycle_clock"]


def test_only_the_functions_for_email_carry_what_mails_need(tmp_path):
    functions = ZIPPED
    for function in functions:
        compose(function, tmp_path / function)
    carriers = [name for name in functions if (tmp_path / name / "shared/mail").exists()]
    assert carriers == ["deliver_email", "email_links"]
    assert not (tmp_path / "email_links/shared/entrypoints/mail.py").exists()
