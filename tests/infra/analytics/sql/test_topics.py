"""The models of the warehouse know every topic."""

import re

from infra.topology import ROOT
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.topics import Topic

STAGING = ROOT / "infra/analytics/sql/staging"


def test_every_event_is_read_from_its_raw_table() -> None:
    read = re.findall(
        r"SELECT '([a-z-]+)'(?: AS topic)?, .* FROM (raw_\w+)", (STAGING / "stg_inbound.sql").read_text()
    )
    assert dict(read) == {topic: f"raw_{topic.replace('-', '_')}" for topic in EVENTS}


def test_every_topic_has_a_model() -> None:
    lacking = [topic for topic in Topic if not (STAGING / f"stg_{topic.replace('-', '_')}.sql").exists()]
    assert lacking == []


def test_publications_may_be_of_every_topic() -> None:
    header = (STAGING / "stg_publication.sql").read_text().replace("\n--", "")
    (accepted,) = re.findall(r"topic: \[(.*?)\]", header)
    assert set(re.findall(r"[a-z-]+", accepted)) == set(Topic)
