"""The worst moment to crash, made on purpose: after the commit, before the publish, once for each fuse."""

import subprocess
import sys
from pathlib import Path

from infra.topology import ROOT
from shared.adapters.crashing import EXIT_CODE, CrashingPublisher
from shared.contracts.outbound.messages import Message
from tests.support.publishers import Collected

MESSAGE = Message("upsell-trigger", "m-1", {})
CRASH = """
import asyncio, sys
from pathlib import Path
from shared.adapters.crashing import CrashingPublisher
from shared.contracts.outbound.messages import Message
from tests.support.publishers import Collected

asyncio.run(CrashingPublisher(Collected(), Path(sys.argv[1])).publish([Message("upsell-trigger", "m-1", {})]))
print("published")
"""


def publish_in_another_process(fuse: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", CRASH, str(fuse)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - ours
    return done.returncode, done.stdout


def test_it_crashes_once_for_each_fuse(tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    fuse.touch()
    assert publish_in_another_process(fuse) == (EXIT_CODE, "")
    assert not fuse.exists()
    assert publish_in_another_process(fuse) == (0, "published\n")


async def test_where_there_is_nothing_to_publish_the_fuse_stays(tmp_path: Path) -> None:
    fuse = tmp_path / "fuse"
    fuse.touch()
    await CrashingPublisher(Collected(), fuse).publish([])
    assert fuse.exists()


async def test_without_a_fuse_it_publishes(tmp_path: Path) -> None:
    bus = Collected()
    await CrashingPublisher(bus, tmp_path / "fuse").publish([MESSAGE])
    assert bus.messages == [MESSAGE]
