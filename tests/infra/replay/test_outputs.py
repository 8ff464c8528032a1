"""The messages that a replay wrote can be searched."""

from infra.replay.outputs import messages
from shared.contracts.topics import Topic
from tests.support import replays
from tests.support.replays import payment


def test_messages_can_be_searched_by_what_they_hold(tmp_path):
    done = replays.run(tmp_path, payment("u", 0), payment("v", 0))
    found = messages(done.folder, Topic.SUBSCRIPTION_CHANGE, b'"user_id":"v"')
    assert [body["user_id"] for body in found] == ["v"]
