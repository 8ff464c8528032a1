import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.deploy.package import compose, zip_function
from infra.errors import InfraError
from infra.topology import load


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for path, text in {
        "functions/greet/main.py": "from shared.words.hello import HELLO\n",
        "functions/greet/notes.txt": "not for the cloud",
        "functions/other/main.py": "",
        "shared/__init__.py": "",
        "shared/words/hello.py": "HELLO = 'hello'\n",
        "shared/words/main.py": "",
        "shared/words/data.json": "{}",
        "tests/test_greet.py": "",
        "requirements.txt": "functions-framework\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_composed_folder_holds_what_the_function_needs_and_nothing_else(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository)
    assert files(composed) == {
        "main.py",
        "requirements.txt",
        "shared/__init__.py",
        "shared/words/hello.py",
        "shared/words/main.py",
    }


def test_a_composed_function_finds_its_shared_code_with_its_own_folder_alone_on_the_path(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository, precompile=True)
    program = f"import sys; sys.path.append({str(composed)!r}); import main; print(main.HELLO)"
    done = subprocess.check_output([sys.executable, "-I", "-c", program], text=True)  # noqa: S603 - ours
    assert done == "hello\n"


def test_precompiled_code_stays_valid_when_its_source_is_touched(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository, precompile=True)
    (compiled,) = (composed / "shared/words/__pycache__").glob("hello.*.pyc")
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    assert flags == 0b01  # by hash, and never compared with the source


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


def test_the_same_sources_give_the_same_zip_whenever_they_were_written(repository, tmp_path):
    first = zip_function("greet", tmp_path / "a" / "greet.zip", root=repository).read_bytes()
    for path in repository.rglob("*.py"):
        path.write_text(path.read_text())
        path.chmod(0o600)
    assert zip_function("greet", tmp_path / "b" / "greet.zip", root=repository).read_bytes() == first


def test_a_change_gives_another_zip(repository, tmp_path):
    first = zip_function("greet", tmp_path / "a.zip", root=repository).read_bytes()
    (repository / "shared/words/hello.py").write_text("HELLO = 'good day'\n")
    assert zip_function("greet", tmp_path / "b.zip", root=repository).read_bytes() != first


def test_the_zip_holds_the_composed_folder(repository, tmp_path):
    composed = compose("greet", tmp_path / "out", root=repository)
    with ZipFile(zip_function("greet", tmp_path / "greet.zip", root=repository)) as bundle:
        assert set(bundle.namelist()) == files(composed)
        assert bundle.read("main.py") == (composed / "main.py").read_bytes()


def test_a_zip_that_cannot_be_made_leaves_no_file(repository, tmp_path):
    archive = tmp_path / "gret.zip"
    with pytest.raises(InfraError):
        zip_function("gret", archive, root=repository)
    assert not archive.exists()


@pytest.mark.parametrize("function", sorted(load().functions))
def test_every_function_of_the_table_can_be_packaged(function, tmp_path):
    with ZipFile(zip_function(function, tmp_path / "function.zip")) as bundle:
        assert {"main.py", "requirements.txt", "shared/__init__.py"} <= set(bundle.namelist())
