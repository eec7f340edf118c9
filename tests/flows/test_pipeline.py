"""The flow does what `dvc repro` does, and tries again what may have failed by chance."""

import json
import logging
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

Dvc = Callable[..., str]
pytestmark = pytest.mark.filterwarnings("ignore")  # Prefect's server and its dependencies warn about themselves


@pytest.fixture(scope="module", autouse=True)
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect database of this module's own, behind one server."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the wait."""
    from flows import pipeline

    quick = pipeline.reproduce.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(pipeline, "reproduce", quick)


def lock(project: Path) -> dict[str, object]:
    """What dvc.lock says, whatever the order in which the stages wrote it."""
    return dict(yaml.safe_load((project / "dvc.lock").read_text()))


def test_the_lock_is_the_one_of_dvc_repro(project: Path, dvc: Dvc, tmp_path_factory: pytest.TempPathFactory) -> None:
    from flows.pipeline import pipeline

    other = tmp_path_factory.mktemp("other") / "project"
    shutil.copytree(project, other)
    pipeline()
    dvc(other, "repro")
    assert (project / "join").read_text() == "aar"
    assert lock(project) == lock(other)
    assert "up to date" in dvc(project, "repro")


def test_changed_data_and_overrides_run_what_depends_on_them(project: Path) -> None:
    from flows.pipeline import pipeline

    pipeline()
    (project / "data/a").write_text("b")
    pipeline(overrides=["scale=smoke"])
    assert (project / "join").read_text() == "bbr"
    assert lock(project)["stages"]["join"]["params"] == {"params.yaml": {"join": {"rank": 2}}}  # type: ignore[index]


def test_a_chance_failure_is_tried_again(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    from flows.pipeline import pipeline

    (project / "code").write_text("1")
    with caplog.at_level(logging.INFO, "prefect"):
        pipeline()
    assert (project / "join").exists()
    assert "about to fail" in caplog.text


def test_what_a_user_must_mend_fails_at_once_and_stops_what_follows(project: Path) -> None:
    from flows.pipeline import pipeline
    from flows.stage import StageError

    (project / "code").write_text("2")
    with pytest.raises(StageError, match="stage right failed with exit code 2") as error:
        pipeline()
    assert "about to fail" in error.value.lines
    assert not (project / "right").exists()
    assert not (project / "join").exists()


def test_side_by_side_gives_the_same(project: Path) -> None:
    from flows.pipeline import pipeline, side_by_side

    pipeline.with_options(task_runner=side_by_side(2))()
    assert (project / "join").read_text() == "aar"


def test_params_that_were_not_composed_stop_the_flow(project: Path) -> None:
    from components.core.base.errors import UserError
    from flows.pipeline import pipeline

    (project / "params.yaml").write_text("scale: studio\n")
    with pytest.raises(UserError, match="not what configs/ composes"):
        pipeline()


def test_the_benchmark_and_the_links_are_artifacts(project: Path) -> None:
    from prefect.artifacts import Artifact

    from flows.pipeline import pipeline

    figures = {"read_opening_r": {"mean": 0.5, "lo": 0.4, "hi": 0.6, "n": 4}}
    (project / "metrics").mkdir()
    (project / "metrics/evaluate.json").write_text(json.dumps({"rows": {"editor": figures}}))
    card = project / "artifacts/export/MODEL_CARD.md"
    card.parent.mkdir(parents=True)
    card.touch()
    pipeline()
    table, links = Artifact.get("benchmark"), Artifact.get("reports")
    assert table is not None
    assert links is not None
    (row,) = json.loads(table.data)
    assert (row["row"], row["lip opening r"], row["sync"]) == ("editor", "0.50 ± 0.10", "-")
    assert card.as_uri() in links.data


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--serve", "every sunday"], "got 'every sunday'; expected five fields of cron"),
        (["--serve", "0 3 * * 0", "--set", "join.rnak=1"], "join.rank (the nearest match)"),
        (["--serve", "0 3 * * 0", "--target", "jion"], "no stage jion"),
        (["--concurrency", "0"], "--concurrency; got 0"),
        (["--scale", "huge"], "Available options in 'scale'"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_2(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    from flows import pipeline, server

    monkeypatch.setenv(server.VARIABLE, "http://127.0.0.1:1/api")
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as caught:
        pipeline.main()
    assert caught.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert says in line


def test_a_schedule_needs_a_server_to_keep_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from components.core.base.errors import UserError
    from flows import pipeline, server

    monkeypatch.delenv(server.VARIABLE, raising=False)
    with pytest.raises(UserError, match="make server"):
        pipeline.serve("0 3 * * 0", None, [])
