"""The site says what there is and what is missing, escapes what it is given, and loads nothing from elsewhere."""

import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml

from components.core.base import files, reviews
from components.core.base.errors import UserError
from components.review import core, drift, origins, sections
from components.review.run import Run
from tests.review import world
from tests.review.conftest import OPTIONS


class Tags(HTMLParser):
    """Every tag and every address of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(site: Path) -> str:
    return (site / "index.html").read_text()


def read(site: Path) -> Tags:
    return Tags(page_of(site))


def test_the_page_loads_nothing_from_elsewhere(site: Path):
    addresses = read(site).addresses
    assert all(
        address.startswith("#") or address.startswith("data:") or (site / address).exists() for address in addresses
    )
    assert {"pairs_docs/index.html", "drift.html"} <= set(addresses)
    assert len(list((site / "films").iterdir())) == 4 + 6


def test_hostile_names_and_reasons_stay_text(site: Path):
    page = read(site)
    assert "img" not in page.tags
    assert page.text.count("onerror=alert(1)") >= 2
    assert page.text.count("{{7*7}}") >= 2
    assert core.json_for_script({"a": "</script><!--\u2028"}) == '{"a": "\\u003c/script\\u003e\\u003c!--\\u2028"}'
    assert json.loads(core.json_for_script(world.HOSTILE)) == world.HOSTILE


def test_what_was_not_measured_and_what_was_turned_away_is_said(site: Path):
    text = read(site).text
    for words in (
        "not_measured",
        "mouth_ssim: no reason",
        "no_face",
        "no approved run",
        "0a1b.dir",
    ):
        assert words.replace("not_measured", "Not measured") in text


def test_a_half_finished_run_says_what_is_missing(tmp_path: Path):
    files.write_json(tmp_path / "project/metrics/ingest.json", {"clips": 3, "rejected": 0})
    files.write_text(tmp_path / "project/dvc.yaml", "stages: {ingest: {}, evaluate: {}}")
    files.write_text(tmp_path / "project/dvc.lock", "stages: {ingest: {deps: []}}")
    core.build([Run(tmp_path / "project", "half", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "not finished: evaluate has not run" in text
    for command in ("dvc repro evaluate", "dvc repro pairs", "dvc repro export"):
        assert command in text


def test_the_gate_and_changes_are_against_the_approved_run(tmp_path: Path):
    project = world.write(tmp_path / "project")
    rows = {"editor": {"lip_opening_r": world.interval(0.9), "mouth_psnr_db": world.interval(0.1)}}
    files.write_json(project / "metrics/approved.json", {"rows": rows})
    core.build([Run(project, "now", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "not passed, 1 metric of the editor fell" in text
    assert "lip_opening_r: was 0.9 (0.85 to 0.95), is 0.5 (0.45 to 0.55)" in text
    assert "-0.4 worse" in text
    assert page_of(tmp_path / "out").count('aria-label="headline table"') == 1
    assert "+0.4 better" in text


@pytest.mark.parametrize("against", ["the approved run", "old"])
def test_nothing_is_marked_against_another_benchmark(tmp_path: Path, against: str):
    old, new = (with_figures(tmp_path / name, add) for name, add in (("old", 0.125), ("new", 0)))
    for run, sha256 in ((old, "a" * 64), (new, "b" * 64)):
        path = run.folder / "metrics/evaluate.json"
        files.write_json(path, json.loads(path.read_text()) | {"benchmark_sha256": sha256})
    approved = (old.folder / "metrics/evaluate.json").read_text()
    files.write_text(new.folder / "metrics/approved.json", approved.replace("0.5", "0.9"))
    core.build([old, new] if against == "old" else [new], tmp_path / "out", OPTIONS)
    page = page_of(tmp_path / "out")
    text = read(tmp_path / "out").text
    assert f"against {against}: nothing is compared, for it was measured on another benchmark" in text
    assert not any(f'class="{verdict}"' in page for verdict in ("better", "worse"))
    assert "fell by more" not in text
    assert "Changes are against" not in text


@pytest.mark.parametrize("half", ["A", "B", "this run", "the approved run"])
def test_nothing_is_compared_with_what_has_no_benchmark(tmp_path: Path, half: str):
    whole, killed = (Run(world.write(tmp_path / name, clips=1, companions=2), name, "abc") for name in ("whole", "cut"))
    approved = json.loads((killed.folder / "metrics/evaluate.json").read_text())
    (killed.folder / "metrics/evaluate.json").unlink()
    files.write_json(killed.folder / "metrics/approved.json", approved)
    files.write_json(whole.folder / "metrics/approved.json", {"card_id": "0123456789ab"})
    runs = {"A": [killed, whole], "B": [whole, killed], "this run": [killed], "the approved run": [whole]}[half]
    core.build(runs, tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert f": nothing is compared, for {half} has no benchmark" in text
    assert not any(words in text for words in ("fell by more", ": passed", "Changes are against"))


def test_ablations_are_tables_of_their_own(tmp_path: Path):
    project = world.write(tmp_path / "project")
    line = {"train_steps": 400, "mouth_psnr_db": world.interval(27.5)}
    files.write_json(project / "metrics/ablations.json", {"variants": {"no pasted mouths": line}, "steps": {}})
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "no pasted mouths" in text
    assert "27.5 (27.4 to 27.6)" in text
    assert "train_steps" not in text


def test_real_footage_is_a_group_of_its_own(tmp_path: Path):
    project = world.write(tmp_path / "project")
    hearing = {"clip01": {"r": 0.25, "loudness_r": 0.5}, "clip02": {"r": None}}
    found = {"dub, studio": {"old_r": 0.75}, "dub, tuned": {"old_r": 0.125, "new_r": 0.5}, "hearing": hearing}
    files.write_json(project / "metrics/real.json", found)
    tables = sections.real(Run(project, "x", "abc"), None)
    assert [table.head for table in tables] == [("dub", "old_r", "new_r"), ("hearing", "loudness_r", "r")]
    lines = {line: [cell.text for cell in cells] for table in tables for line, cells in table.lines}
    assert lines == {
        "studio": ["0.75", "not measured"],
        "tuned": ["0.125", "0.5"],
        "clip01": ["0.5", "0.25"],
        "clip02": ["not measured", "not measured"],
    }
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    assert "#real" in read(tmp_path / "out").addresses


def lines(table: sections.Table) -> dict[str, list[str]]:
    """What stands in a table: text, interval, change and verdict of each cell by the line's heading."""
    return {
        name: [" ".join(filter(None, (cell.text, cell.interval, cell.change, cell.verdict))) for cell in cells]
        for name, cells in table.lines
    }


def test_slices_are_the_editors_headline_in_each(project: Path, site: Path):
    run = Run(project, "x", "abc")
    names = ("mouth_psnr_db", "lip_opening_r", "sharpness_ratio", "success_rate")
    table = sections.slices(run, {})
    assert table.head == ("slice (clips)", *names)
    assert lines(table) == {"language=en (4)": ["0.5 (0.45 to 0.55)"] * 4}
    base = {"language=en": {"editor": {"lip_opening_r": world.interval(0.25)}}}
    assert lines(sections.slices(run, base))["language=en (4)"][1] == "0.5 (0.45 to 0.55) +0.25 better"
    assert "language=en (4)0.5 (0.45 to 0.55)" in read(site).text


def test_yields_and_drift_are_in_figures(project: Path, site: Path):
    table = origins.yields([Run(project, "x", "abc")])
    assert table.head == ("yields", "this run")
    assert lines(table) == {
        "ingest: clips": ["9 of 10 (90 %)"],
        "pairs: no_flicker": ["5 of 6 (83 %)"],
        "pairs: review": ["5 of 6 (83 %)"],
        "pairs: accepted in all": ["4 of 6 (67 %)"],
    }
    text = read(site).text
    assert "pairs: accepted in all4 of 6 (67 %)" in text
    assert "Companions against real clips: sharpness 0.30; 50 % of the columns above the threshold." in text


def test_lineage_names_data_params_lock_and_code(project: Path, site: Path):
    hashes = [hashlib.sha256((project / name).read_bytes()).hexdigest()[:12] for name in ("params.yaml", "dvc.lock")]
    text = " ".join(read(site).text.split())
    assert "data 0a1b.dir (data.dvc) · params.yaml {} · dvc.lock {} · code at abc".format(*hashes) in text
    assert "readartifacts/crops abccomponents/evaluate c0de.dir leftartifacts/evaluate def" in text


def with_figures(folder: Path, add: float) -> Run:
    """A small run with every figure that is no stage's of the world; `add` tells two of them apart."""
    world.write(folder, clips=1, companions=2)
    row = {"lip_opening_r": world.interval(0.5 + add)}
    files.write_json(folder / "metrics/onnx.json", {"rows": {"onnx": row}})
    found = {"csim": world.interval(0.5 + 2 * add), "lse_d": world.interval(0.5 + 3 * add), "fid": {"mean": 9 + add}}
    files.write_json(folder / "metrics/published.json", {"rows": {"editor": found}})
    files.write_json(folder / "metrics/real.json", {"dub, tuned": {"new_r": 0.5 + 4 * add}})
    ablated = {"lip_opening_r": world.interval(0.5 + 5 * add)}
    files.write_json(folder / "metrics/ablations.json", {"variants": {"no lips": ablated}})
    parity = {"seconds_per_second": 1.2 + 6 * add, "megabytes": 20.9, "max_abs_error": 7e-7}
    files.write_json(folder / "metrics/export.json", {"parity": parity})
    return Run(folder, folder.name, "abc")


def test_every_figure_of_two_runs_has_its_change(tmp_path: Path):
    runs = [with_figures(tmp_path / "old", 0), with_figures(tmp_path / "new", 0.125)]
    old, new = runs
    files.write_json(new.folder / "metrics/ingest.json", {"clips": 8, "rejected": 2})
    metrics = sections.metrics(new, sections.benchmark(old))
    onnx = metrics.head.index("onnx") - 1
    assert metrics.head[1] == "editor"
    assert lines(metrics)["lip_opening_r ↑"][onnx].endswith("+0.125 better")
    published = lines(sections.published(new, old)["table"])
    assert published["csim ↑"] == ["0.75 (0.7 to 0.8) +0.25 better"]
    assert published["lse_d ↓"] == ["0.875 (0.825 to 0.925) +0.375 worse"]
    assert published["fid ↓"] == ["9.12 +0.125"]
    assert lines(sections.real(new, old)[0]) == {"tuned": ["1 +0.5"]}
    assert lines(sections.ablations(new, old)[0])["no lips"][0].endswith("+0.625 better")
    speed = lines(sections.speed(runs))
    assert speed["seconds per second of cropped video"] == ["1.2", "1.95 +0.75"]
    assert speed["megabytes"] == ["20.9", "20.9"]
    assert lines(origins.yields(runs))["ingest: clips"] == ["9 of 10 (90 %)", "8 of 10 (80 %) -10.0 points"]
    core.build(runs, tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    for change in ("+0.125 better", "+0.25 better", "+0.5", "+0.625 better", "+0.75", "-10.0 points"):
        assert change in text


def test_data_of_two_runs_stand_side_by_side(tmp_path: Path):
    runs = [
        Run(world.write(tmp_path / name, clips=1, companions=2, shift=shift), name, name * 3)
        for name, shift in (("x", 0), ("y", 1))
    ]
    lock = runs[1].folder / "dvc.lock"
    lock.write_text(lock.read_text().replace("c0de.dir", "ed17.dir"))
    rejects = [{"source": "new.mp4", "reason": "silent", "detail": ""}]
    pd.DataFrame(rejects).to_parquet(runs[1].folder / "artifacts/clips/rejects.parquet")
    assert [row["runs"] for row in origins.rejects([runs[0], runs[0]])] == ["A and B"]
    core.build(runs, tmp_path / "out", OPTIONS)
    page = read(tmp_path / "out")
    text = " ".join(page.text.split())
    for side, run in zip("AB", runs, strict=True):
        assert f"{side} = {run.title}: data 0a1b.dir (data.dvc) · params.yaml {run.params_hash()}" in text
        assert f"dvc.lock {run.id} · code at {run.rev}" in text
        addresses = {f"{side}/pairs_docs/index.html", f"{side}/drift.html"}
        assert addresses <= set(page.addresses)
        assert all((tmp_path / "out" / address).is_file() for address in addresses)
    assert "evaluate (differs)" in text
    assert "components/evaluate A c0de.dir B ed17.dir" in text
    assert "new.mp4ingestsilentB" in page.text
    assert "Companions against real clips (A): sharpness 0.30" in text
    assert "Pairs, those in quarantine among them, are B's." in text


def test_what_was_cut_off_while_it_was_written_is_said(tmp_path: Path):
    project = world.write(tmp_path / "project", clips=3, companions=2)
    artifacts = project / "artifacts"
    world.cut(artifacts / "evaluate/players-00000.tar", whole=1)
    (artifacts / "pairs/pairs-00000.tar").write_bytes(b"")
    (artifacts / "crops/crops.parquet").unlink()
    files.write_json(project / "metrics/export.json", {"parity": {"seconds_per_second": 1.2}})
    files.write_json(project / "metrics/validate_pairs.json", {"pairs": 2, "drift": {"drifted_share": 0.5}})
    files.write_json(artifacts / "export/card.json", {"name": "dubstrap"})
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "artifacts/evaluate/players-00000.tar was cut off while it was written" in text
    assert "artifacts/pairs/pairs-00000.tar was cut off while it was written" in text
    assert "crops.parquet is not there: pairs have neither the speech that drove them nor its own lips" in text
    assert "no column's score was kept; 50 % of the columns" in text
    assert "megabytesnot measured" in text
    assert "The exported model is not there" in text
    assert len(list((tmp_path / "out/films").iterdir())) == 1


def test_figures_older_than_what_they_were_made_of_are_named(tmp_path: Path):
    project = world.write(tmp_path / "project", clips=1, companions=2)
    again = {"outs": [{"path": "artifacts/crops", "md5": "made anew"}]}
    lock = yaml.safe_load((project / "dvc.lock").read_text())
    files.write_text(project / "dvc.lock", yaml.safe_dump({"stages": {"crop": again, **lock["stages"]}}))
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    said = "What is shown of evaluate is older than what it was made of: a later run was not finished"
    assert said in read(tmp_path / "out").text


def test_decisions_of_other_runs_stand_for_what_is_shown(project: Path, tmp_path: Path):
    run = Run(project, "x", "abc")
    made = (("pair", "speaker0-clip0--0"), ("pair", "long gone"), ("model", "another card"), ("model", "0123456789ab"))
    for kind, id_ in made:
        decision = reviews.Decision(reviews.now(), "earlier", kind, id_, "approve", "", "Bob")
        reviews.append(tmp_path / "reviews/old.jsonl", decision)
    core.build([run], tmp_path / "out", replace(OPTIONS, reviews=tmp_path / "reviews"))
    page = page_of(tmp_path / "out")
    about = json.loads(page.partition('<script id="about" type="application/json">')[2].partition("</script>")[0])
    assert about["run"] == run.id != "earlier"
    shown = [(one["run"], one["kind"], one["id"]) for one in about["decisions"]]
    # A model's id is the hash of its weights, so an approval holds for that very model, as `dubstrap promote` has it.
    assert shown == [("earlier", "pair", "speaker0-clip0--0"), ("earlier", "model", "0123456789ab")]


def test_two_runs_side_by_side(project: Path, tmp_path: Path):
    other = Run(world.write(tmp_path / "b", shift=0.2), "candidate", "def")
    core.build([Run(project, "base", "abc"), other], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "A = base" in text
    assert "editor.lip.rank" in text
    assert "+0.2 better" in text
    assert "loss (A)" in text
    assert not (tmp_path / "out/against.html").exists()  # four clips have no distribution


def test_clips_are_shown_where_the_other_run_has_none(project: Path, tmp_path: Path):
    old = with_figures(tmp_path / "old", 0)
    (old.folder / "artifacts/evaluate/players-00000.tar").unlink()
    core.build([old, Run(project, "candidate", "def")], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "B's clips, with A's dubs beside its own; of 4 A has none" in text
    assert "Clips to look at are not there" not in text
    assert len(list((tmp_path / "out/films").iterdir())) == 4 + 6


def test_every_quarantined_pair_has_its_reason_and_a_link(project: Path, site: Path, tmp_path: Path):
    page = read(site)
    for pair, reason in (("speaker2-clip0--0", "no_flicker"), ("speaker2-clip1--0", "review")):
        assert f"#pair:{pair}" in page.addresses
        assert f"{pair}speaker2{reason}" in page.text
    run = Run(project, "x", "abc")
    assert "its clip or companion is not there" not in page.text
    rows = origins.quarantine(run, [])  # their clips are gone: said, and no link
    assert [(row["reason"], row["film"]) for row in rows] == [("no_flicker", None), ("review", None)]


def test_published_metrics_and_those_that_lack_weights(tmp_path: Path):
    project = world.write(tmp_path / "project")
    published = {
        "rows": {
            "truth": {"lse_c": world.interval(7.9)},
            "editor": {"lse_c": world.interval(6.5), "fid": {"mean": 12.3}},
        },
        "not_measured": {"fvd": f"expected weights/i3d_torchscript.pt {world.HOSTILE}"},
    }
    files.write_json(project / "metrics/published.json", published)
    core.build([Run(project, "x", "abc")], tmp_path / "out", OPTIONS)
    page = read(tmp_path / "out")
    assert "6.5 (6.45 to 6.55)" in page.text
    assert "12.3" in page.text
    assert "fvd: expected weights/i3d_torchscript.pt" in page.text
    assert "img" not in page.tags


def test_before_published_metrics_are_measured_the_paths_expected_are_named(site: Path):
    text = read(site).text
    assert "Published metrics are not there yet: run dubstrap published" in text
    for words in (
        "lse_c: expected models/published/syncnet_v2.model;",
        "lse_d: expected models/published/syncnet_v2.model;",
        "csim: expected models/published/backbone.pth;",
        "lpips: expected models/published/alexnet-owt-7be5be79.pth and models/published/alex.pth;",
        "fid: expected models/published/pt_inception-2015-12-05-6726825d.pth;",
        "fvd: expected models/published/i3d_torchscript.pt;",
    ):
        assert words in text


def test_figures_that_no_stage_measured_are_told_apart(site: Path, tmp_path: Path):
    run = with_figures(tmp_path / "project", 0)
    files.write_json(run.folder / "metrics/footage.json", {"drift": {"drifted_share": 0.5}})
    core.build([run], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    for command in (
        "dubstrap published",
        "python -m scripts.real_footage",
        "python -m scripts.ablations",
        "python -m components.validate footage",
    ):
        assert f"{command} is no stage of the run: nothing says that these figures" in text
    assert "is no stage of the run" not in read(site).text


def test_a_revision_whose_artifacts_are_lost_says_so(tmp_path: Path):
    files.write_json(tmp_path / "project/metrics/ingest.json", {"clips": 3, "rejected": 0})
    run = Run(tmp_path / "project", "v1", "abc", is_workspace=False)
    core.build([run], tmp_path / "out", OPTIONS)
    text = read(tmp_path / "out").text
    assert "v1 has none, or DVC's cache has lost them" in text
    assert "git checkout abc" in text


@pytest.mark.slow
@pytest.mark.parametrize("approved", [True, False])
def test_distributions_are_compared_with_the_approved_or_the_other_run(tmp_path: Path, approved: bool):
    old, new = (
        Run(world.write(tmp_path / name, clips=6, shift=shift), name, "abc") for name, shift in (("a", 0), ("b", 9))
    )
    if approved:
        lines = [f"{row['pair_id']},{row['lip_opening_r']}," for row in drift.clips(old)]
        files.write_text(new.folder / "metrics/approved.csv", "\n".join(["pair_id,lip_opening_r,mouth_ssim", *lines]))
    core.build([new] if approved else [old, new], tmp_path / "out", OPTIONS)
    text = (tmp_path / "out/against.html").read_text()
    assert "lip_opening_r" in text
    assert "mouth_ssim" not in text  # measured on no clip
    shown = read(tmp_path / "out").text
    assert "100 % of the compared metrics are distributed otherwise than in" in shown
    assert "more than validate.runs allows" in shown


def test_only_reviews_are_replaced(project: Path, tmp_path: Path):
    run = Run(project, "x", "abc")
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(UserError, match="is not a review"):
        core.build([run], tmp_path, OPTIONS)
    assert (tmp_path / "mine.txt").read_text() == "precious"
    for _ in range(2):
        core.build([run], tmp_path / "site", OPTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", "site"]
