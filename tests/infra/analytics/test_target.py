import re

from infra.topology import ROOT


def test_make_runs_every_module_that_needs_the_analysts_packages() -> None:
    """Where they are missing, `make test` skips these modules; so one left out here would never run."""
    makefile = (ROOT / "Makefile").read_text()
    listed = " ".join(re.findall(r"^ANALYSTS_(?:TESTS|PAGES) := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE))
    folders = [ROOT / path for path in listed.replace("\\", " ").split()]
    assert all(path.exists() for path in folders)
    for module in (ROOT / "tests").rglob("test_*.py"):
        if re.search(r"analysts\.(required|REASON)\b", module.read_text()):
            assert any(path == module or path in module.parents for path in folders), module
