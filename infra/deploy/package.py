"""Packaging: writes exactly the files that one function needs, as a folder or as a zip."""

import marshal
import shutil
from functools import lru_cache
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from infra.deploy.imports import imported_modules
from infra.errors import InfraError
from infra.topology import ROOT

REQUIREMENTS = "requirements.txt"
PROCFILE = "Procfile"
OWN = (REQUIREMENTS, PROCFILE)
"""Files that a function may have of its own: requirements in place of those of all, and how a service starts."""
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; every entry has it, so that the bytes depend on content only."""
REGULAR_FILE = 0o100644
"""Unix mode of every entry: a regular file, writable by its owner and readable by all."""
UNIX = 3
"""The system that every entry names as its maker; by default `zipfile` names another on Windows."""
UNCHECKED_HASH = (1).to_bytes(4, "little")
"""The flags of a .pyc file that is valid whatever its source is now: https://peps.python.org/pep-0552/."""


def compose(function: str, target: Path, *, root: Path = ROOT, precompile: bool = False) -> Path:
    """Write one function's files into the empty folder `target`, and return it.

    The files are `main.py`, `requirements.txt`, and the modules of `shared/` that `main.py` imports; of a service
    also its `Procfile`. Only the folder of `main.py` is on the path, so these files are all that runs, both here
    and in the cloud. `precompile` saves most of a cold start, for the Python version in use.

    Raises `InfraError` if a source is missing or invalid, or if the folder is not empty.
    """
    _expect_empty(target)
    for path, source in _files(function, root).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / path)
    if precompile:
        _precompile(target)
    return target


def zip_function(function: str, archive: Path, *, root: Path = ROOT) -> Path:
    """Write one function's deployable zip. The same sources give the same bytes on every machine.

    A deploy must follow from a change only. The zip is therefore uncompressed, because compressed bytes depend on
    the zlib version, and has no .pyc files, because their bytes vary between compilations.

    Raises `InfraError` as `compose` does, and then leaves `archive` as it was.
    """
    content = BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as bundle:
        for path, source in _files(function, root).items():
            entry = ZipInfo(path.as_posix(), ZIP_EPOCH)
            entry.create_system = UNIX
            entry.external_attr = REGULAR_FILE << 16
            bundle.writestr(entry, source.read_bytes())
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(content.getvalue())
    return archive


def _files(function: str, root: Path) -> dict[Path, Path]:
    """The source of each file, in the order of the paths in the package. Raises `InfraError` if one is missing."""
    folder, requirements = root / "functions" / function, root / REQUIREMENTS
    main, own = folder / "main.py", {path.name: path for name in OWN if (path := folder / name).is_file()}
    for required in (main, requirements):
        if not required.is_file():
            raise InfraError(f"cannot package {function}: {required.relative_to(root)} does not exist")
    modules = {module.relative_to(root): module for module in imported_modules(main, root)}
    found = {REQUIREMENTS: requirements, **own, "main.py": main}
    files = {**{Path(name): path for name, path in found.items()}, **modules}
    return {path: files[path] for path in sorted(files, key=Path.as_posix)}


def _expect_empty(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise InfraError(f"cannot package into {target}: expected an empty folder, found files in it")


def _precompile(folder: Path) -> None:
    for source in folder.rglob("*.py"):
        compiled = Path(cache_from_source(str(source)))
        compiled.parent.mkdir(parents=True, exist_ok=True)
        compiled.write_bytes(_compiled(source.relative_to(folder).as_posix(), source.read_bytes()))


@lru_cache(maxsize=1024)
def _compiled(place: str, source: bytes) -> bytes:
    """The content of the .pyc file of a module, kept because functions that are packaged together share modules.

    It has the source's hash instead of its time, because copying and unzipping change the time.
    """
    code = compile(source, place, "exec", dont_inherit=True)
    return MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)
