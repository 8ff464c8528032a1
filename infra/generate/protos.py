"""Generates Python's modules of the .proto files: messages to Google, and the API with its service."""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
GOOGLE = Path("shared/adapters/gcp/protos")
API = Path("shared/contracts/api/upbeat/v1")
FOLDERS = (GOOGLE, API)
"""The folders of the .proto files and of the modules generated from them, in the repository."""
KNOWN_TYPES = Path(grpc_tools.__file__).parent / "_proto"
"""The folder of the .proto files that protobuf brings along."""


def generate(out: Path) -> None:
    """Write the modules and their type stubs into the same folders under `out`. The compiler prints its errors.

    Only the API has a service; the calls to Google name their methods themselves.
    """
    for folder in FOLDERS:
        protos = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / folder).glob("*.proto"))]
        argv = ["protoc", f"-I{ROOT}", f"-I{KNOWN_TYPES}", f"--python_out={out}", f"--pyi_out={out}"]
        if folder == API:
            argv.append(f"--grpc_python_out={out}")
        if protoc.main([*argv, *protos]) != 0:
            sys.exit(1)


if __name__ == "__main__":
    generate(ROOT)
    sys.stdout.write(f"wrote {', '.join(map(str, FOLDERS))}\n")
