"""Packaging: what one function needs to run, as a folder or as a zip, and nothing else."""

import compileall
import shutil
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from infra.errors import InfraError
from infra.topology import ROOT

BEGINNING_OF_ZIP = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE = 0o100644


def compose(function: str, target: Path, *, root: Path = ROOT, precompile: bool = False) -> Path:
    """Lay out one function in an empty folder: its `main.py`, `shared/` and `requirements.txt`.

    The functions framework puts only the folder of `main.py` on the path, so this folder is what runs, here and
    in the cloud. `precompile` saves most of a cold start, for the Python version in use now.
    """
    _expect_empty(target)
    for place, source in _files(function, root).items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / place)
    if precompile:
        _precompile(target)
    return target


def zip_function(function: str, archive: Path, *, root: Path = ROOT) -> Path:
    """Write one function's deployable zip; the same sources give the same bytes on every machine.

    Uncompressed, since compressed bytes depend on the zlib at hand, and without .pyc files, whose bytes vary from
    one compilation to the next: a deploy must follow from a change, and from nothing else.
    """
    with TemporaryDirectory() as folder:
        composed = compose(function, Path(folder), root=root)
        archive.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(archive, "w", ZIP_STORED) as bundle:
            for path in sorted(path for path in composed.rglob("*") if path.is_file()):
                entry = ZipInfo(path.relative_to(composed).as_posix(), BEGINNING_OF_ZIP)
                entry.external_attr = REGULAR_FILE << 16
                bundle.writestr(entry, path.read_bytes())
    return archive


def _files(function: str, root: Path) -> dict[Path, Path]:
    """Where each file goes, and where it comes from."""
    main, requirements = root / "functions" / function / "main.py", root / "requirements.txt"
    for needed in (main, requirements, root / "shared"):
        if not needed.exists():
            raise InfraError(f"cannot package {function}: {needed.relative_to(root)} does not exist")
    modules = {module.relative_to(root): module for module in (root / "shared").rglob("*.py")}
    return {Path("main.py"): main, Path("requirements.txt"): requirements, **modules}


def _expect_empty(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise InfraError(f"cannot package into {target}: expected an empty folder, found files in it")


def _precompile(folder: Path) -> None:
    """Compile without reference to file times, which copying and unzipping change."""
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=1, stripdir=str(folder), invalidation_mode=unchecked)
