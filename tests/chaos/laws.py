"""The checker: it knows the project by its topics and documents alone, and decides each law over a whole run.

Delivery is at least once, in no order: so a message may come twice, and an `issued` after its `revoked`. What a
law says is therefore about ids, bodies and sequences, never about the order of arrival.
"""

from collections.abc import Callable

from tests.chaos import message_laws, state_laws
from tests.chaos.observation import Observation
from tests.chaos.verdict import Verdict

LAWS: dict[str, Callable[[Observation, Verdict], None]] = {
    "every message is acknowledged in the end": state_laws.acknowledged,
    "nothing that is due stays undone": state_laws.nothing_due,
    "the state is that of the accepted events (laws 1, 2, 3)": state_laws.state,
    "the dead letter has what must be refused, and nothing else (laws 2, 4)": state_laws.dead_letters,
    "a message id has one body (law 6)": message_laws.one_body,
    "a sequence has one message": message_laws.one_sequence,
    "a cause has one trigger a campaign, and a moment one telling (law 6)": message_laws.one_trigger,
    "what the document decided was told, and nothing else (law 6)": message_laws.told,
    "what was announced is what is true": message_laws.announced,
    "no open offer contradicts the state (law 7)": state_laws.not_stale,
    "a revocation is final (law 7)": message_laws.final,
    "feedback counts once, and is told": state_laws.feedback,
}
"""Every law, by its sentence."""


def judge(seen: Observation) -> list[Verdict]:
    """The verdicts on all laws."""
    verdicts = []
    for law, check in LAWS.items():
        verdict = Verdict(law)
        check(seen, verdict)
        verdicts.append(verdict)
    return verdicts
