"""Writes the site: the page, its films, and the reports it links to. Knows no command line."""

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from components.core.base import gate, reviews
from components.core.base.errors import UserError
from components.core.media import FPS
from components.core.statistics.drift import Drift, Limits
from components.review import companions, drift, films, origins, sections
from components.review.films import SHOWN, Film
from components.review.run import Row, Run

SITE = Path(__file__).parent / "site"
MARKER = ".dubstrap-review"
DRIFT = "against.html"
BENCHMARK = "benchmark_sha256"
APPROVED = "approved"
"""metrics/approved.json, the benchmark of the last promoted run (`dubstrap promote`)."""
REPORTS = {
    "Data Docs of the clips": ("artifacts/validation/clips/data_docs", "clips_docs", "index.html"),
    "Data Docs of the crops": ("artifacts/validation/crops/data_docs", "crops_docs", "index.html"),
    "Data Docs of the pairs": ("artifacts/validation/pairs/data_docs", "pairs_docs", "index.html"),
    "Drift of companions against real clips": ("artifacts/validation/pairs/drift.html", "drift.html", ""),
    "Drift of new footage against training footage": ("artifacts/validation/footage/drift.html", "footage.html", ""),
    "Model card": ("artifacts/export/MODEL_CARD.md", "MODEL_CARD.md", ""),
}
PAIR_RIGHT = {
    "identity_cosine": gate.UP, "lip_change_px": gate.UP, "outside_psnr_db": gate.UP, "flicker_ratio": 1.0,
    "sharpness_ratio": 1.0, "sync_confidence": gate.UP, "opening_r": gate.UP,
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How the site is made.

    Attributes:
        most_pairs: training pairs with a player; those in quarantine come first and are never left out.
        workers: processes that make films.
        decides: whether the page will be served by something that keeps decisions.
        reviews: folder of the decisions made so far.
        limits: how far a run's clips may be from those of the run that it is compared with.
    """

    most_pairs: int
    workers: int
    decides: bool
    reviews: Path
    limits: Limits


@dataclass(frozen=True)
class Base:
    """The figures that a run is judged against, how they are called, and why nothing is compared; "": it is."""

    name: str
    figures: Row
    obstacle: str


@dataclass(frozen=True)
class Shown:
    """What the page has: items with players, (title, address) of reports, and the drift from the other run."""

    items: list[Row]
    reports: list[tuple[str, str]]
    moved: Drift | None


def build(runs: Sequence[Run], out: Path, options: Options) -> Path:
    """Writes the site of one run, or of two with the later one judged against the first; returns its index.html.

    Raises:
        UserError: a run holds nothing, `out` is a folder of something else, or a decision can't be read.
    """
    for run in runs:
        run.check()
    _require_ours(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as parent:
        folder = Path(parent) / "site"
        (folder / "films").mkdir(parents=True)
        (folder / MARKER).touch()
        run = runs[-1]
        shown = films.clips(run) if len(runs) == 1 else films.compared_clips(*runs)
        shown += companions.pairs(run, options.most_pairs, options.workers)
        items = [_item(film, number, folder) for number, film in enumerate(shown)]
        reports, against, base = _reports(runs, folder), drift.other(runs), _base(runs)
        moved = drift.write(against, run, options.limits, folder / DRIFT) if not base.obstacle else None
        if moved:
            reports.append((f"The editor's clips against {against.title}", DRIFT))
        page = _page(runs, base, Shown(items, reports, moved), options)
        (folder / "index.html").write_text(page, encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return out / "index.html"


def _base(runs: Sequence[Run]) -> Base:
    """The first of two runs, or the approved run of the only one; without a name where there is none."""
    found = {side: run.metrics("evaluate") for side, run in sections.by_side(runs)}
    if len(runs) > 1:
        name, figures = runs[0].title, {**found["A"], "rows": sections.benchmark(runs[0])}
    else:
        figures = runs[0].metrics(APPROVED)
        if not figures:
            return Base("", {}, "")
        name = "the approved run"
        found = {name: figures, **found}
    absent = [side for side, values in found.items() if not values.get("rows")]
    if absent:
        return Base(name, figures, f"{' and '.join(absent)} {'has' if len(absent) == 1 else 'have'} no benchmark")
    is_same = len({values.get(BENCHMARK) for values in found.values()}) == 1
    return Base(name, figures, "" if is_same else f"it was measured on another benchmark ({BENCHMARK} differs)")


def _require_ours(out: Path) -> None:
    if out.exists() and not (out.is_dir() and ((out / MARKER).exists() or not any(out.iterdir()))):
        raise UserError(
            f"{out} is not a review", expected="a new or empty folder, or an earlier review", fix="Name another --out."
        )


def _item(film: Film, number: int, folder: Path) -> Row:
    """The film on disk, under a number, since ids may be anything, and what the page's script needs to show it."""
    name = f"films/{number:05d}.mp4"
    (folder / name).write_bytes(film.data)
    order = list(SHOWN.values())
    tiles = sorted(enumerate(film.tiles), key=lambda tile: _place(tile[1], order))
    values = {key: value for key, value in asdict(film).items() if key not in ("data", "tiles")}
    return {**values, "film": name, "fps": FPS, "count": len(film.tiles), "tiles": [list(tile) for tile in tiles]}


def _place(name: str, order: Sequence[str]) -> int:
    known = [place for place, shown in enumerate(order) if name == shown or name.startswith(f"{shown} (")]
    return known[-1] if known else len(order)


def _reports(runs: Sequence[Run], folder: Path) -> list[tuple[str, str]]:
    """Copies what other stages wrote for people; (title, address) of each that is there."""
    found = []
    for side, run in sections.by_side(runs):
        parent, suffix = (f"{side}/", f" ({side})") if len(runs) > 1 else ("", "")
        (folder / parent).mkdir(exist_ok=True)
        for title, (source, target, page) in REPORTS.items():
            path, copy = run.folder / source, f"{parent}{target}"
            if path.is_dir():
                shutil.copytree(path, folder / copy)
            elif path.is_file():
                shutil.copy(path, folder / copy)
            if path.exists():
                found.append((title + suffix, f"{copy}/{page}" if page else copy))
    return found


def _page(runs: Sequence[Run], base: Base, shown: Shown, options: Options) -> str:
    run, items = runs[-1], shown.items
    right = {
        name: _sign(value) for name, value in {**gate.RIGHT, "seconds_per_second": gate.DOWN, **PAIR_RIGHT}.items()
    }
    judged = {(item["kind"], item["id"]) for item in items} | {("model", run.card.get("card_id"))}
    made = [asdict(one) for one in reviews.read(options.reviews) if (one.kind, one.id) in judged]
    about = {"decides": options.decides, "run": run.id, "decisions": made, "right": right, "items": items}
    style, script = ((SITE / name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    environment = Environment(
        loader=FileSystemLoader(SITE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html").render(
        **_context(runs, base),
        base=base,
        reports=shown.reports,
        moved=shown.moved,
        quarantine=origins.quarantine(run, items),
        decides=options.decides,
        alone=sum(films.ALONE in item["slices"] for item in items),
        counts={kind: sum(item["kind"] == kind for item in items) for kind in ("clip", "pair")},
        style=Markup(style),
        script=Markup(script),
        script_hash=_hash(script),
        data=json_for_script(about),
    )


def _context(runs: Sequence[Run], base: Base) -> Row:
    """What the template shows about the run; nothing is compared where there is an obstacle."""
    run, old = runs[-1], runs[0] if len(runs) > 1 else None
    then, like = ({}, None) if base.obstacle else (base.figures, old)
    return {
        "runs": sections.by_side(runs),
        "run": run,
        "old": old,
        "card": run.card,
        "gaps": [(side, gap) for side, one in sections.by_side(runs) for gap in origins.gaps(one)],
        "regressions": gate.regressions(run.metrics("evaluate"), then),
        "headline": sections.headline(run, then.get("rows", {})),
        "metrics": sections.metrics(run, then.get("rows", {})),
        "slices": sections.slices(run, then.get("slices", {})),
        "ablations": sections.ablations(run, like),
        "intervals": sections.intervals(run),
        "not_measured": run.metrics("evaluate").get("not_measured", {}),
        "losses": sections.losses(runs),
        "yields": origins.yields(runs),
        "rejects": origins.rejects(runs),
        "drifts": origins.drifts(runs),
        "published": sections.published(run, like),
        "real": sections.real(run, old),
        "speed": sections.speed(runs),
        "lineage": origins.lineage(runs),
        "changed": origins.changed_params(old, run) if old else [],
    }


def _sign(right: float) -> str | float:
    return {gate.UP: "up", gate.DOWN: "down"}.get(right, right)


def json_for_script(value: Any) -> Markup:
    """JSON that can stand between script tags whatever its texts are."""
    text = json.dumps(value, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _hash(script: str) -> str:
    """The script as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
