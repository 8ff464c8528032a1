"""Load a score from the bytes of its artifact: check everything, and report every mistake."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from pydantic import BaseModel, ValidationError

from shared.contracts.strict_json import read_object
from shared.decisioning.audiences.facts import FEATURE
from shared.decisioning.document.problems import guess, malformed, problem
from shared.decisioning.scoring import artifact, logistic_artifact, trees_artifact
from shared.decisioning.scoring.formula import score_of
from shared.decisioning.scoring.logistic_artifact import Logistic
from shared.decisioning.scoring.score import Score
from shared.decisioning.scoring.trees_artifact import Leaf, Tree, Trees
from shared.domain.errors import Rejected, UpbeatError

MAX_BYTES = 512 * 1024
"""The largest artifact. It fits into one Firestore document, which holds 1 MiB."""
MAX_PROBLEMS = 50
"""The most mistakes reported at once; nobody reads more."""

_KINDS: Mapping[str, type[Logistic | Trees]] = {"logistic": Logistic, "trees": Trees}
_PARTS = [*vars(artifact).values(), *vars(logistic_artifact).values(), *vars(trees_artifact).values()]
_PART_TYPES = (part for part in _PARTS if isinstance(part, type) and issubclass(part, BaseModel))
_KNOWN_FIELDS = sorted({field for part in _PART_TYPES for field in part.model_fields})


class InvalidScore(UpbeatError):
    """The artifact is invalid. `problems` has one sentence for each mistake, with its path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("invalid score:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


def load_score(data: bytes, facts: Collection[str] | None = None) -> Score:
    """The score that an artifact's JSON describes. Raises `InvalidScore` with all its problems.

    `facts` has the names of all known facts: a feature that is not among them is a mistake. None skips this check.
    Those of the warehouse (`features.NAME`) are declared by the catalog, which is not known here.
    """
    content = _read(data)
    problems = [*islice(_semantic_problems(content, facts), MAX_PROBLEMS)]
    if problems:
        raise InvalidScore(problems)
    return score_of(content)


def _read(data: bytes) -> Logistic | Trees:
    if len(data) > MAX_BYTES:
        raise InvalidScore([f"score: expected at most {MAX_BYTES} bytes, found {len(data)}"])
    try:
        written = read_object(data)
    except Rejected as rejected:
        raise InvalidScore([rejected.detail]) from None
    kind = written.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidScore([problem("kind", f"one of {', '.join(_KINDS)}", kind)])
    try:
        return _KINDS[kind].model_validate_json(data)
    except ValidationError as error:
        raise InvalidScore([*islice(malformed(error, "score", _KNOWN_FIELDS), MAX_PROBLEMS)]) from None


def _semantic_problems(content: Logistic | Trees, facts: Collection[str] | None) -> Iterator[str]:
    if facts is not None:
        yield from _unknown_features(content, facts)
    known = {feature for _, feature in content.mentions} if content.trained.judged else set()
    for index, feature in enumerate(content.trained.judged):
        if feature not in known:
            yield problem(f"trained.judged[{index}]", f"a feature of this score{guess(feature, known)}", feature)
    match content:
        case Logistic():
            yield from _term_problems(content)
        case Trees():
            for number, tree in enumerate(content.trees):
                yield from _tree_problems(f"trees[{number}]", tree)


def _unknown_features(content: Logistic | Trees, facts: Collection[str]) -> Iterator[str]:
    for path, feature in content.mentions:
        if feature not in facts and not feature.startswith(FEATURE):
            yield problem(path, f"a known fact{guess(feature, facts)}", feature)


def _term_problems(content: Logistic) -> Iterator[str]:
    for section, terms in content.terms.items():
        features = [term.feature for term in terms]
        for index, feature in enumerate(features):
            if feature in features[:index]:
                yield problem(f"{section}[{index}].feature", "each feature once", feature)
    for index, term in enumerate(content.numeric):
        if term.min is not None and term.max is not None and term.max < term.min:
            yield problem(f"numeric[{index}].max", f"at least min ({term.min})", term.max)


def _tree_problems(path: str, tree: Tree) -> Iterator[str]:
    """Mistakes in the structure: every node but the root must be the child of exactly one node before it."""
    parents = Counter[int]()
    for index, node in enumerate(tree):
        if isinstance(node, Leaf):
            continue
        for side, child in (("left", node.left), ("right", node.right)):
            parents[child] += 1
            if not index < child < len(tree):
                expected = f"the index of a later node ({index + 1} to {len(tree) - 1})"
                yield problem(f"{path}[{index}].{side}", expected, child)
    for index in range(1, len(tree)):
        if parents[index] != 1:
            yield problem(f"{path}[{index}]", "a node that is the child of exactly one", parents[index])
