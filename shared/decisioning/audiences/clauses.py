"""Clauses: CEL expressions about a user, type-checked and tried on a specimen when a catalog is compiled.

https://cel.dev
"""

import re
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from shared.decisioning.audiences.attributes import (
    NOTHING_DECLARED,
    Declared,
    clash,
    in_maps,
    specimens,
    typed,
)
from shared.decisioning.audiences.facts import ATTRIBUTE, FEATURE, SPECIMEN, VARIABLES, Facts
from shared.decisioning.audiences.offers import OF_OFFERS
from shared.decisioning.document.clause_text import (
    LITERAL,
    attributes_in,
    features_in,
    offers_in,
    scores_in,
    with_quoted_names,
)
from shared.decisioning.document.mends import mended_clause, mended_time
from shared.decisioning.document.problems import guess, one_of
from shared.domain.subscription import Status

ENVIRONMENT = cel.NewEnv(variables=VARIABLES)
_SPECIMEN = ENVIRONMENT.Activation(SPECIMEN)
_LOOP = re.compile(r"\b(?:all|exists|exists_one|filter|map)\b")
_LOOP_OVER_SUBSCRIPTIONS = re.compile(r"\bsubscriptions\s*\.\s*\w+\s*\(\s*([A-Za-z_]\w*)\s*,")
_STATUS = re.compile(
    r"(?<!features\.)(?<!attributes\.)\bstatus\s*(?:[=!]=\s*|in\s*\[)((?:\s*(?:\"\w*\"|'\w*')\s*,?)+)"
)
_STATUSES = [*map(str, Status)]
_WORD = re.compile(r"\w+")
_HAS_FACT = re.compile(r"\bhas\s*\(\s*(?:subscription|profile|signals|features)\b")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_MISTAKE = re.compile(r"<input>:\d+:(-?\d+): (.*)")
_MISMATCH = re.compile(r"No matching overloads found : (.*)")
_OPERATION = re.compile(r"_(\S+)_\((.*), (.*)\)")
_CANDIDATES = re.compile(r" expecting \{.*\}")
_BAD_PATTERN = re.compile(r"invalid regular expression: .*")


class InvalidClause(ValueError):
    """The clause is invalid, or can never be true. The text is the expected value."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A named condition on a user."""

    name: str
    text: str
    program: Any

    def failure(self, activation: Any) -> str | None:
        """The clause's name if it is not true, with CEL's error if there is one; None if it is true."""
        truth = self.truth(activation)
        return None if truth is True else truth or self.name

    def truth(self, activation: Any) -> bool | str:
        """True, false, or the clause's name with CEL's error."""
        try:
            result = self.program.eval(activation)
        except RuntimeError as error:  # CEL raises when it exceeds its limit of iterations
            return f"{self.name}: {error}"
        value, kind = result.value(), result.type()
        if kind == cel.Type.BOOL:
            return value is True
        return f"{self.name}: {value if kind == cel.Type.ERROR else f'expected BOOL, found {kind}'}"


def compile_clause(name: str, text: str, declared: Declared = NOTHING_DECLARED) -> Clause:
    """Check and compile one clause, with the attributes and features that the catalog declares.

    That those that it uses are declared is not checked here. Raises `InvalidClause`.
    """
    if _HAS_FACT.search(LITERAL.sub("''", text)):
        raise InvalidClause("`!= null` instead of has(), since these fields are always there")
    text = with_quoted_names(text)
    code = LITERAL.sub("''", text)
    if len(_LOOP.findall(code)) > 1:  # with CEL's own limits (depth 32), this bounds the cost of a clause
        raise InvalidClause("one loop at most (all, exists, exists_one, filter, map)")
    _check_fields_of_loops(code)
    _check_offers(text)
    program = compiled(text)
    _check_kind(program.return_type())
    _check_statuses(text)
    used = _declared_in(text)
    if declared.keys() >= {*used}:
        _check_types(text, declared)
        _try_on_specimen(program, text, specimens(used, declared))
    return Clause(name, text, program)


def compiled(text: str) -> Any:
    """The program of an expression. Raises `InvalidClause` with CEL's error."""
    try:
        return ENVIRONMENT.compile(text)
    except RuntimeError as error:
        raise InvalidClause(_explained(str(error), text)) from None


def _explained(error: str, text: str) -> str:
    mend = mended_time(text) if "Timestamp" in error else mended_clause(text)
    if mend:
        return mend
    if unknown := _UNDECLARED.search(error):
        return _known_field(unknown[1])
    if mistake := _MISTAKE.search(error):
        return f"valid CEL (column {mistake[1]}: {_CANDIDATES.sub('', mistake[2])})"
    return f"valid CEL ({error})"


def _known_field(name: str) -> str:
    return f"a known field instead of {name}{guess(name, VARIABLES, cutoff=0.9)}"


def _check_fields_of_loops(code: str) -> None:
    """Refuse unknown fields of a loop's variable. CEL does not know its type, so fields are looked up by name."""
    for variable in _LOOP_OVER_SUBSCRIPTIONS.findall(code):
        for field in re.findall(rf"(?<![\w.]){variable}\s*\.\s*(\w+)", code):
            if f"subscription.{field}" not in VARIABLES:
                raise InvalidClause(_known_field(f"subscription.{field}"))


def _check_offers(text: str) -> None:
    """Refuse what no user has: CEL takes any name in a map, so that of a field is checked here."""
    for campaign, field in offers_in(text):
        if not (campaign and field):
            raise InvalidClause("a campaign and a field after offers, such as offers.CAMPAIGN.issued")
        if field not in OF_OFFERS:
            suggestion = guess(field, OF_OFFERS) or f" ({', '.join(OF_OFFERS)})"
            raise InvalidClause(f"a known field instead of offers.{campaign}.{field}{suggestion}")


def _check_kind(kind: Any) -> None:
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise InvalidClause(f"a clause that is true or false, not {kind}")


def _check_statuses(text: str) -> None:
    """Refuse a comparison of a status with a word that is no status: the clause would never be true."""
    for words in _STATUS.findall(text):
        for word in _WORD.findall(words):
            if word not in _STATUSES:
                raise InvalidClause(f"{one_of(_STATUSES, word)} instead of the status '{word}'")


def _declared_in(text: str) -> list[str]:
    """The attributes and features that a clause uses. Raises `InvalidClause` if it uses one without its name."""
    attributes, features = attributes_in(text), features_in(text)
    if None in attributes:
        raise InvalidClause(f"an attribute by its name ({ATTRIBUTE}NAME)")
    if None in features:
        raise InvalidClause(f"a feature by its name ({FEATURE}NAME)")
    return [*(f"{ATTRIBUTE}{name}" for name in attributes), *(f"{FEATURE}{name}" for name in features)]


def _check_types(text: str, declared: Declared) -> None:
    """Refuse an operation that the declared types do not allow."""
    typed_text = typed(text, declared)
    if typed_text == text:
        return
    try:
        ENVIRONMENT.compile(typed_text)
    except RuntimeError as error:
        if found := clash(str(error)):
            raise InvalidClause(f"values that go together, not {_readable(found)}") from None


def _try_on_specimen(program: Any, text: str, declared: Facts) -> None:
    """Evaluate the clause for a user with every fact known. A type error even then means it is never true."""
    scores, offers = scores_in(text), {campaign for campaign, _ in offers_in(text)}
    more = dict(declared)
    if scores:
        more["scores"] = dict.fromkeys(scores, 0.5)
    if offers:
        more["offers"] = dict.fromkeys(offers, dict.fromkeys(OF_OFFERS, 1))
    facts = ENVIRONMENT.Activation(in_maps(SPECIMEN | more)) if more else _SPECIMEN
    try:
        result = program.eval(facts)
    except RuntimeError:
        return  # the limit of iterations was exceeded, but need not be for other users
    if result.type() != cel.Type.ERROR:
        _check_kind(result.type())
    elif mismatch := _MISMATCH.search(str(result.value())):
        raise InvalidClause(f"values that go together, not {_readable(mismatch[1])}")
    elif bad := _BAD_PATTERN.search(str(result.value())):
        raise InvalidClause(f"valid CEL ({bad[0]})")


def _readable(mismatch: str) -> str:
    """An operation as people write it: `string < timestamp` for CEL's `_<_(string, timestamp)`."""
    operation = _OPERATION.sub(r"\2 \1 \3", mismatch)
    if "timestamp" in mismatch:
        return f"{operation}: timestamp(...) makes a time of text"
    is_mixed = "double" in mismatch and re.search(r"\bint\b", mismatch)
    return f"{operation}: a number beside a double is written with a point (1.0)" if is_mixed else operation
