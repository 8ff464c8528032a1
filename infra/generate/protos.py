"""Generates the protobuf messages of a function's calls to Google from their .proto files."""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
FOLDER = Path("shared/adapters/gcp/protos")
"""The folder of the .proto files and of the modules generated from them, in the repository."""
KNOWN_TYPES = Path(grpc_tools.__file__).parent / "_proto"
"""The folder of the .proto files that protobuf brings along."""


def generate(out: Path) -> None:
    """Write the modules and their type stubs into the same folder under `out`. The compiler prints its errors."""
    protos = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / FOLDER).glob("*.proto"))]
    argv = ["protoc", f"-I{ROOT}", f"-I{KNOWN_TYPES}", f"--python_out={out}", f"--pyi_out={out}", *protos]
    if protoc.main(argv) != 0:
        sys.exit(1)


if __name__ == "__main__":
    generate(ROOT)
    sys.stdout.write(f"wrote {FOLDER}\n")
