from pathlib import Path

import pytest

from infra.deploy.imports import imported_modules
from infra.errors import InfraError
from tests.infra.deploy.small_repository import write_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "repository")


@pytest.fixture
def main(repository: Path) -> Path:
    return repository / "functions" / "greet" / "main.py"


def found(main: Path, repository: Path, *, source: str) -> set[str]:
    """The modules that a function with this source imports, as paths under `shared/`."""
    main.write_text(source)
    modules = imported_modules(main, repository)
    return {module.relative_to(repository / "shared").as_posix() for module in modules}


@pytest.mark.parametrize(
    "source",
    [
        "import shared.words.hello",
        "import os, shared.words.hello as greeting",
        "from shared.words.hello import HELLO",
        "from shared.words import hello",
        "from shared.words import (\n    hello as greeting,\n)",
        "def greet():\n    from shared.words import hello",
        "class Greeter:\n    async def greet(self):\n        with self:\n            import shared.words.hello",
        "try:\n    import fast_words\nexcept ImportError:\n    import shared.words.hello",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import shared.words.hello",
        "import typing\nif typing.TYPE_CHECKING:\n    import x\nelse:\n    import shared.words.hello",
    ],
)
def test_an_import_is_found_however_it_is_written(source, main, repository):
    assert found(main, repository, source=source) == {"__init__.py", "words/__init__.py", "words/hello.py"}


@pytest.mark.parametrize(
    "source",
    [
        "import os, functions_framework.aio",
        "from sharedness.words import hello",
        "'import shared.words.hello'",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shared.words.hello",
        "import typing\nif typing.TYPE_CHECKING:\n    from shared.words import hello",
    ],
)
def test_what_is_not_loaded_from_shared_is_not_found(source, main, repository):
    assert found(main, repository, source=source) == set()


def test_a_name_that_a_package_defines_itself_is_no_module(main, repository):
    (repository / "shared" / "words" / "__init__.py").write_text("from shared.greeting import HELLO")
    names = found(main, repository, source="from shared.words import HELLO")
    assert names == {"__init__.py", "words/__init__.py", "words/hello.py", "greeting.py"}


def test_modules_that_import_each_other_are_found(main, repository):
    (repository / "shared" / "words" / "hello.py").write_text("import shared.greeting")
    names = found(main, repository, source="import shared.greeting")
    assert names == {"__init__.py", "greeting.py", "words/__init__.py", "words/hello.py"}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import os\nimport shared.words.helo", "line 2: expected the name of a module, found shared.words.helo"),
        ("from shared.wrds import hello", "line 1: expected the name of a module, found shared.wrds"),
        ("from .words import hello", "line 1: expected the name of a module, found .words"),
        ("from . import words", r"line 1: expected the name of a module, found \."),
    ],
)
def test_an_import_that_would_fail_in_the_cloud_is_named(source, problem, main, repository):
    with pytest.raises(InfraError, match=f"cannot package functions/greet/main.py, {problem}"):
        found(main, repository, source=source)


@pytest.mark.parametrize("source", [b"def greet(:", b"\x00", b"\xff = 1"])
def test_a_file_that_is_not_python_is_named(source, main, repository):
    (repository / "shared" / "words" / "hello.py").write_bytes(source)
    with pytest.raises(
        InfraError, match=r"cannot package shared/words/hello\.py: expected valid Python, found: \S"
    ):
        imported_modules(main, repository)
