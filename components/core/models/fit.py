"""Training: one loop for every network, resumable to the step, with a guard against NaN.

All randomness of a step comes from (seed, stage, step), and so does its batch. A run that is killed and started again
therefore ends with the weights of an unbroken one.
"""

import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import lightning
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, WeightAveraging
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from components.core.base import files, runtime, seeds
from components.core.base.errors import UserError
from components.core.models import hardware
from components.core.models.optim import MuonAdamW, trainable, warmup_then_linear

log = logging.getLogger(__name__)
B = TypeVar("B")
Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Fit:
    """How long and how fast a network is trained."""

    steps: int
    lr: float
    warmup_steps: int
    weight_decay: float
    ema_decay: float
    clip_norm: float
    checkpoint_every_steps: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.checkpoint_every_steps < 1:
            raise ValueError(
                f"steps {self.steps} and checkpoint_every_steps {self.checkpoint_every_steps} must be positive"
            )
        if not 0 <= self.warmup_steps < self.steps:
            raise ValueError(f"warmup_steps {self.warmup_steps} must be below steps {self.steps}")
        if not (self.lr > 0 and self.clip_norm > 0 and 0 <= self.ema_decay < 1):
            raise ValueError(
                f"lr {self.lr}, clip_norm {self.clip_norm} positive and ema_decay {self.ema_decay} in [0, 1)"
            )


@dataclass(frozen=True)
class Run:
    """Which run this is.

    Attributes:
        stage: names the run in logs, seeds and the progress bar.
        seed: the seed param.
        folder: where the checkpoint to resume from lives while the run lasts.
        fingerprint: everything the result depends on (params, data); a checkpoint of another one is not resumed.
        precision: Lightning's name.
    """

    stage: str
    seed: int
    folder: Path
    fingerprint: str
    precision: str = "32-true"


class Learner(nn.Module, Generic[B]):
    """A network and its losses. Subclasses define `losses`; the term named "loss" is minimised, all are logged."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def losses(self, batch: B, draw: torch.Generator) -> Losses:
        """The loss terms of one batch; every random number comes from `draw`."""
        raise NotImplementedError


def fit(learner: Learner[B], batch_at: Callable[[int], Any], spec: Fit, run: Run) -> pd.DataFrame:
    """Trains `learner.model` in place and returns its loss curve (columns: step and one per term).

    Args:
        learner: what is trained; it ends with the averaged (EMA) weights.
        batch_at: the batch of a step, or what its `.to(device)` makes one; a pure function of the step's number.
        spec: steps and optimisation.
        run: name, seed, checkpoint folder and fingerprint.

    Raises:
        UserError: a loss term became NaN or infinite; names the step, the term and the last good checkpoint.
    """
    log.info(
        "%s: %.2f M trainable parameters, %d steps, %s",
        run.stage,
        trainable(learner.parameters()) / 1e6,
        spec.steps,
        run.precision,
    )
    loop = _Loop(learner, spec, run)
    checkpoint = run.folder / "resume.ckpt"
    resumed = _resumable(checkpoint, run)
    start = torch.load(checkpoint, weights_only=False)["global_step"] if resumed else 0
    if start:
        log.info("%s: resumes at step %d from %s", run.stage, start, checkpoint)
    saver = ModelCheckpoint(
        run.folder, "resume", every_n_train_steps=spec.checkpoint_every_steps, enable_version_counter=False
    )
    files.write_json(run.folder / "resume.json", {"fingerprint": run.fingerprint})
    with runtime.progress(run.stage, spec.steps) as advance:
        advance(start)
        curve = _Curve(spec.steps, advance)
        average = get_ema_multi_avg_fn(spec.ema_decay)  # type: ignore[no-untyped-call]
        averaging = WeightAveraging(hardware.device(), multi_avg_fn=average)  # else on the CPU
        trainer = _trainer([curve, averaging, saver], spec, run)
        batches = DataLoader(_Steps(batch_at, start, spec.steps), batch_size=None, num_workers=hardware.loaders())
        trainer.fit(loop, batches, ckpt_path=str(checkpoint) if resumed else None, weights_only=False)
    checkpoint.unlink(missing_ok=True)
    (run.folder / "resume.json").unlink()
    return pd.DataFrame(curve.rows)


def _trainer(callbacks: list[Callback], spec: Fit, run: Run) -> lightning.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # The folder may hold the checkpoint we resume from, batches are made in memory, and CPU-only machines are welcome.
    warnings.filterwarnings("ignore", r".*(exists and is not empty|does not have many workers|GPU available|LeafSpec)")
    return lightning.Trainer(
        max_steps=spec.steps,
        precision=run.precision,  # type: ignore[arg-type]
        gradient_clip_val=spec.clip_norm,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def fingerprint(*parts: Any) -> str:
    """One text for params (dataclasses) and whatever else a result depends on."""
    return json.dumps(
        [asdict(part) if hasattr(part, "__dataclass_fields__") else part for part in parts], sort_keys=True, default=str
    )


def _resumable(checkpoint: Path, run: Run) -> bool:
    label = run.folder / "resume.json"
    if not (checkpoint.is_file() and label.is_file()):
        return False
    same = bool(json.loads(label.read_text())["fingerprint"] == run.fingerprint)
    if not same:
        log.warning("%s: %s belongs to other params or data: starting afresh", run.stage, checkpoint)
        checkpoint.unlink()
    return same


class _Steps(IterableDataset[Any]):
    """The batches in the order of their steps; with several workers, who are asked by turns, each draws every n-th."""

    def __init__(self, batch_at: Callable[[int], Any], start: int, stop: int) -> None:
        self.batch_at, self.start, self.stop = batch_at, start, stop

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        return (self.batch_at(step) for step in range(self.start + first, self.stop, stride))


class _Loop(lightning.LightningModule):
    """The learner as Lightning drives it: seeded per step, guarded, with one optimizer and schedule."""

    def __init__(self, learner: Learner[Any], spec: Fit, run: Run) -> None:
        super().__init__()
        self.learner, self.spec, self.run = learner, spec, run

    def training_step(self, batch: Any, _: int) -> Tensor:
        draw = torch.Generator(self.device).manual_seed(seeds.derive(self.run.seed, self.run.stage, self.global_step))
        losses = self.learner.losses(batch, draw)
        values = torch.stack(
            [value.detach().float() for value in losses.values()]
        ).tolist()  # waits for the device once
        self.terms = dict(zip(losses, values, strict=True))
        for name, value in self.terms.items():
            if not math.isfinite(value):
                raise _broken(name, self.global_step, self.run)
        return losses["loss"]

    def configure_optimizers(self) -> Any:
        optimizer = MuonAdamW(self.learner, self.spec.lr, self.spec.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_then_linear(step, self.spec.steps, self.spec.warmup_steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _broken(term: str, step: int, run: Run) -> UserError:
    checkpoint = run.folder / "resume.ckpt"
    return UserError(
        f"{run.stage}: the loss term '{term}' is not finite at step {step}",
        got="NaN or infinity",
        expected="a finite number",
        fix=f"Lower {run.stage}'s lr or clip_norm in configs/. "
        + (f"The last good checkpoint is {checkpoint}." if checkpoint.is_file() else "There is no checkpoint yet."),
    )


class _Curve(Callback):
    """Progress and loss curve: the mean of each term over a fiftieth of the run, kept in the checkpoint."""

    def __init__(self, steps: int, advance: Callable[[int], None]) -> None:
        self.every, self.advance = max(1, steps // 50), advance
        self.rows: list[dict[str, float]] = []
        self.sums: dict[str, float] = {}
        self.count = 0

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:
        for name, value in pl_module.terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1
        self.advance(1)
        if self.count == self.every:
            self.rows.append({"step": trainer.global_step} | {k: v / self.count for k, v in self.sums.items()})
            self.sums, self.count = {}, 0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "sums": self.sums, "count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.sums, self.count = state_dict["rows"], state_dict["sums"], state_dict["count"]
