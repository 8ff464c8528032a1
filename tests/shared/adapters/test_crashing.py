"""`CrashingPublisher`: one deliberate crash per crash file, after the commit and before the publish."""

import subprocess
import sys
from pathlib import Path

from infra.topology import ROOT
from shared.adapters.crashing import EXIT_CODE, CrashingPublisher
from shared.contracts.outbound.message import Message
from tests.support.publishers import Collected

MESSAGE = Message("upsell-trigger", "m-1", {})
CRASH = """
import asyncio, sys
from pathlib import Path
from shared.adapters.crashing import CrashingPublisher
from shared.contracts.outbound.message import Message
from tests.support.publishers import Collected

asyncio.run(CrashingPublisher(Collected(), Path(sys.argv[1])).publish([Message("upsell-trigger", "m-1", {})]))
print("published")
"""


def publish_in_another_process(crash_file: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", CRASH, str(crash_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - ours
    return done.returncode, done.stdout


def test_it_crashes_once_for_each_crash_file(tmp_path: Path) -> None:
    crash_file = tmp_path / "crash"
    crash_file.touch()
    assert publish_in_another_process(crash_file) == (EXIT_CODE, "")
    assert not crash_file.exists()
    assert publish_in_another_process(crash_file) == (0, "published\n")


async def test_where_there_is_nothing_to_publish_the_crash_file_stays(tmp_path: Path) -> None:
    crash_file = tmp_path / "crash"
    crash_file.touch()
    await CrashingPublisher(Collected(), crash_file).publish([])
    assert crash_file.exists()


async def test_without_a_crash_file_it_publishes(tmp_path: Path) -> None:
    bus = Collected()
    await CrashingPublisher(bus, tmp_path / "crash").publish([MESSAGE])
    assert bus.messages == [MESSAGE]
