"""The model card: what was trained, on what, how well, and what to beware of; for a terminal and as Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from infra.analytics.training.assess import Slice
from infra.analytics.training.measures import Measures
from infra.analytics.training.promotion import Comparison, Interval
from infra.analytics.training.train import Trained

WORST = 3
"""Slices shown on a terminal."""
MAX_SLICES = 60


def summary(trained: Trained, comparison: Comparison | None) -> Iterator[str]:
    """The lines for a terminal."""
    dataset = trained.dataset
    yield f"{len(dataset.label):,} rows: {dataset.label_text} in {dataset.label.mean():.1%}"
    yield from (f"note: {note}" for note in dataset.notes)
    yield f"features: {len(dataset.columns)}"
    yield from (f"  {line}" for line in _notes(trained))
    yield f"tested: {trained.folds.how}"
    yield ""
    yield f"{'':10}{'AUC (95% interval)':24}{'log-loss':10}calibration error"
    for one in trained.candidates:
        yield _line(one.kind, one.measures)
    yield f"{'the share':34}{trained.chosen.measures.log_loss_of_share:<10.4f}"
    yield ""
    yield f"chosen: {trained.chosen.kind}; {trained.reason}"
    yield f"  {trained.model.settings}"
    yield _control(trained)
    yield from (f"least calibrated: {_slice(one)}" for one in trained.slices[:WORST])
    if comparison:
        yield from _compared(comparison)


def card(trained: Trained, comparison: Comparison | None) -> str:
    """The card as Markdown."""
    content, dataset = trained.content, trained.dataset
    parts = [
        f"# {content['name']}@{content['version']}",
        content["description"],
        _table(
            ("", ""),
            [
                ("rows", f"{len(dataset.label):,}, {dataset.label.mean():.1%} of them positive"),
                ("data", dataset.about),
                ("trained", content["trained"]["at"]),
                ("method", trained.model.settings),
                ("tested", trained.folds.how),
            ],
        ),
        "## Quality, on rows that the models were not trained on",
        _table(
            ("kind", "AUC", "95% interval", "log-loss", "calibration error"),
            [
                (
                    f"**{one.kind}**" if one is trained.chosen else one.kind,
                    f"{one.measures.auc:.4f}",
                    f"{one.measures.auc_low:.4f} to {one.measures.auc_high:.4f}",
                    f"{one.measures.log_loss:.4f}",
                    f"{one.measures.calibration_error:.4f}",
                )
                for one in trained.candidates
            ],
        ),
        f"Predicting the share for everybody: {trained.chosen.measures.log_loss_of_share:.4f}.",
        f"Chosen: {trained.chosen.kind}; {trained.reason}.",
        f"{_control(trained).capitalize()}.",
        "## Calibration",
        _table(
            ("rows", "predicted", "observed"),
            [(str(part.rows), f"{part.predicted:.3f}", f"{part.observed:.3f}") for part in trained.bins],
        ),
        "## Slices",
        "The least calibrated first."
        if trained.slices
        else "No feature has few enough values, with enough rows of each.",
        _table(
            ("feature", "value", "rows", "predicted", "observed", "AUC"),
            [
                (
                    one.feature,
                    one.value,
                    str(one.rows),
                    f"{one.predicted:.3f}",
                    f"{one.observed:.3f}",
                    "" if one.auc is None else f"{one.auc:.3f}",
                )
                for one in trained.slices[:MAX_SLICES]
            ],
        ),
        "## Features",
        "The AUC of each by itself; 0.5 is chance.",
        _table(
            ("feature", "AUC alone"),
            [(name, f"{area:.3f}") for name, area in sorted(trained.alone.items(), key=lambda item: -item[1])],
        ),
        "## Notes",
        _list([*dataset.notes, *_notes(trained)]) or "None.",
    ]
    if comparison:
        parts += ["## Against the score in force", _list(_compared(comparison))]
    return "\n\n".join(filter(None, parts)) + "\n"


def facts(trained: Trained, comparison: Comparison | None, files: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "score": f"{trained.content['name']}@{trained.content['version']}",
        "files": list(files),
        "kind": trained.chosen.kind,
        "reason": trained.reason,
        "label": trained.dataset.label_text,
        "rows": len(trained.dataset.label),
        "tested": trained.folds.how,
        "metrics": {one.kind: one.measures._asdict() for one in trained.candidates},
        "shuffled": {**trained.shuffled._asdict(), "is_plausible": trained.shuffled.is_plausible},
        "features": [column.name for column in trained.dataset.columns],
        "notes": [*trained.dataset.notes, *_notes(trained)],
        "slices": [one._asdict() for one in trained.slices[:MAX_SLICES]],
        "calibration": [part._asdict() for part in trained.bins],
        "promotion": None
        if comparison is None
        else {
            "against": comparison.in_force,
            "log_loss": comparison.log_loss._asdict(),
            "auc": comparison.auc._asdict(),
            "rows": comparison.rows,
            "not_scored": comparison.failed,
            "refusal": comparison.refusal,
        },
    }


def _line(kind: str, measured: Measures) -> str:
    area = f"{measured.auc:.4f} ({measured.auc_low:.3f} to {measured.auc_high:.3f})"
    return f"{kind:10}{area:24}{measured.log_loss:<10.4f}{measured.calibration_error:.4f}"


def _notes(trained: Trained) -> Iterator[str]:
    """Remarks about columns, once for all columns of which the same is true."""
    columns: dict[str, list[str]] = {}
    for note in trained.notes:
        columns.setdefault(note.text, []).append(note.column)
    return (f"{', '.join(names)} {text}" for text, names in columns.items())


def _control(trained: Trained) -> str:
    found = f"shuffled labels: AUC {trained.shuffled.auc:.3f}"
    if trained.shuffled.is_plausible:
        return f"{found}, as chance has it (within {trained.shuffled.bound:.3f} of one half)"
    return f"{found}, which chance does not explain: rows of the tests are known to the training"


def _slice(one: Slice) -> str:
    shares = f"predicted {one.predicted:.3f}, observed {one.observed:.3f}"
    return f"{one.feature} = {one.value}: {shares} in {one.rows:,} rows"


def _compared(comparison: Comparison) -> Iterator[str]:
    old, new = comparison.before, comparison.after
    failed = (
        f", {comparison.failed:,} that {comparison.in_force} cannot score left out" if comparison.failed else ""
    )
    yield f"against {comparison.in_force}, on the same {comparison.rows:,} held-out rows{failed}:"
    yield f"log-loss {old.log_loss:.4f} before, {new.log_loss:.4f} now: {_interval(comparison.log_loss)}"
    yield f"AUC {old.auc:.4f} before, {new.auc:.4f} now: {_interval(comparison.auc)}"
    yield f"calibration error {old.calibration_error:.4f} before, {new.calibration_error:.4f} now"
    refusal = comparison.refusal
    yield f"refused: {refusal}" if refusal else f"may replace {comparison.in_force}"


def _interval(found: Interval) -> str:
    return f"{found.estimate:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
