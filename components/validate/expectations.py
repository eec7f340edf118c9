"""Suites of Great Expectations from YAML: read, run over a table, and left behind as Data Docs."""

import datetime
import difflib
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from components.core.base.errors import UserError
from components.validate import docs

SUITES = Path(__file__).parent / "suites"
KEYS = {"type", "kwargs", "severity", "fix", "filter"}
# Data Docs carry the time of the run; a fixed one keeps the stage's output from changing when nothing did.
EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Expectation:
    """One expectation: its type and kwargs are Great Expectations'; `filter` makes it a row-by-row quarantine."""

    type: str
    kwargs: Mapping[str, Any]
    severity: Literal["critical", "warning"]
    fix: str
    filter: str | None

    @property
    def subject(self) -> str:
        """The expectation and what it is about, for people."""
        about = self.kwargs.get("column", self.kwargs.get("column_list", "table"))
        return f"{self.type} of {about if isinstance(about, str) else ', '.join(about)}"


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation; `failing` are the row numbers it turned away."""

    expectation: Expectation
    success: bool
    observed: str
    failing: tuple[int, ...]


def read(path: Path, values: object) -> list[Expectation]:
    """The suite of a YAML file, `$name` replaced by the attribute of that name of `values`.

    Raises:
        UserError: the file is not a list of expectations, or a `$name` is unknown.
    """
    items = yaml.safe_load(path.read_text())
    if not isinstance(items, list):
        raise UserError(f"the suite {path.name}", got=type(items).__name__, expected="a list of expectations")
    return [_expectation(item, number, path, values) for number, item in enumerate(items, 1)]


def _expectation(item: Any, number: int, path: Path, values: object) -> Expectation:
    name = f"expectation {number} of {path.name}"
    if not isinstance(item, Mapping) or not {"type", "kwargs", "severity", "fix"} <= set(item) or set(item) - KEYS:
        got = ", ".join(item) if isinstance(item, Mapping) else repr(item)
        raise UserError(name, got=got, expected="type, kwargs, severity, fix and perhaps filter")
    if item["severity"] not in ("critical", "warning"):
        raise UserError(f"severity of {name}", got=repr(item["severity"]), expected="critical or warning")
    kwargs = {key: _resolved(value, name, values) for key, value in item["kwargs"].items()}
    return Expectation(item["type"], kwargs, item["severity"], item["fix"], item.get("filter"))


def _resolved(value: Any, name: str, values: object) -> Any:
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    if not hasattr(values, value[1:]):
        known = difflib.get_close_matches(value[1:], dir(values), n=1, cutoff=0)
        raise UserError(f"{name} uses {value}", expected=f"a param, such as ${known[0]}")
    return getattr(values, value[1:])


def check(table: pd.DataFrame, suite: list[Expectation], name: str, folder: Path) -> list[Outcome]:
    """The outcome of every expectation, in the suite's order; writes Data Docs into `folder`."""
    # It logs a hundred lines at import, and one of its modules gives itself a level of its own.
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as elsewhere:
        context = gx.get_context(mode="ephemeral", project_root_dir=elsewhere)
        _prepare(context, name, folder)
        batch = (
            context.data_sources.add_pandas("parquet")
            .add_dataframe_asset(name)
            .add_batch_definition_whole_dataframe(name)
        )
        built = [_built(expectation, number) for number, expectation in enumerate(suite)]
        stored = context.suites.add(gx.ExpectationSuite(name, expectations=built))
        validation = gx.ValidationDefinition(name=name, data=batch, suite=stored)
        checkpoint = gx.Checkpoint(
            name=name,
            validation_definitions=[context.validation_definitions.add(validation)],
            actions=[UpdateDataDocsAction(name="data docs")],
            result_format="COMPLETE",
        )
        run = context.checkpoints.add(checkpoint).run(
            batch_parameters={"dataframe": table.reset_index(drop=True)},
            run_id=gx.RunIdentifier(run_name=name, run_time=EPOCH),
        )
    docs.make_offline(folder)
    results = {r.expectation_config.meta["number"]: r for v in run.run_results.values() for r in v.results}
    return [_outcome(expectation, results[number]) for number, expectation in enumerate(suite)]


def _prepare(context: Any, name: str, folder: Path) -> None:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.get_site_names()):
        context.delete_data_docs_site(site)
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())}
    site = {"class_name": "SiteBuilder", "store_backend": store, "show_how_to_buttons": False}
    context.add_data_docs_site(name, site | {"site_index_builder": {"class_name": "DefaultSiteIndexBuilder"}})


def _built(expectation: Expectation, number: int) -> Any:
    """The expectation as Great Expectations' own object; its constructor checks the kwargs."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.registry import get_expectation_impl

    meta = {"number": number}
    try:
        kind = get_expectation_impl(expectation.type)
        return kind(**expectation.kwargs, severity=expectation.severity, meta=meta, notes=expectation.fix)
    except (GreatExpectationsError, ValueError) as error:
        raise UserError(f"{expectation.subject} is not an expectation", got=str(error)) from None


def _outcome(expectation: Expectation, result: Any) -> Outcome:
    found = result.result
    raised = [text for text in _exceptions(result.exception_info) if text]
    if raised:
        return Outcome(expectation, False, raised[0], ())
    if "unexpected_count" in found:
        some = sorted({str(value) for value in found["partial_unexpected_list"][:3]})
        observed = f"{found['unexpected_count']} of {found['element_count']} rows"
        observed += f", such as {', '.join(some)}" if some else ""
        return Outcome(expectation, result.success, observed, tuple(found.get("unexpected_index_list") or ()))
    return Outcome(expectation, result.success, str(found.get("observed_value")), ())


def _exceptions(info: Mapping[str, Any]) -> list[str]:
    """The messages in an exception_info, which is one record or one per metric."""
    records = [info] if "raised_exception" in info else list(info.values())
    return [str(record.get("exception_message")) for record in records if record.get("raised_exception")]


def require(outcomes: list[Outcome], table: str) -> None:
    """Raises a UserError that names every critical expectation that failed, what was seen and what to do."""
    failed = [o for o in outcomes if not o.success and o.expectation.severity == "critical"]
    if failed:
        raise UserError(
            f"{table} fails {len(failed)} critical expectation{'s' if len(failed) > 1 else ''}",
            got="; ".join(f"{o.expectation.subject}: {o.observed}" for o in failed),
            fix=" ".join(dict.fromkeys(o.expectation.fix for o in failed)),
        )


def report(outcomes: list[Outcome], table: str) -> None:
    """Logs how many expectations hold, and every warning expectation that failed and is no filter."""
    held = sum(outcome.success for outcome in outcomes)
    logging.getLogger(__name__).info("%s: %d of %d expectations hold", table, held, len(outcomes))
    for outcome in outcomes:
        about = outcome.expectation
        if not outcome.success and about.severity == "warning" and about.filter is None:
            logging.getLogger(__name__).warning("%s: %s: %s. %s", table, about.subject, outcome.observed, about.fix)


def summary(outcomes: list[Outcome]) -> dict[str, int]:
    """How many expectations held, by severity: numbers for `dvc metrics`."""
    failed = [o.expectation.severity for o in outcomes if not o.success]
    counts = {f"{severity}_failed": failed.count(severity) for severity in ("critical", "warning")}
    return {"expectations": len(outcomes), **counts}
