"""The transformer: shapes, symmetries of its positions, and what LoRA must not change."""

import pytest
import torch

from components.core.models.dit import DiT, DiTConfig, rope_angles, rotate
from components.core.models.lora import AdaptedLinear, Band, add_expert, expert_parameters

SMALL = DiTConfig(
    channels_in=3, channels_out=3, height=8, width=16, patch=4, dim=32, depth=2, heads=2, mlp_ratio=2.0,
    audio_dim=5, audio="modulation", audio_tokens=2,
)  # fmt: skip


def inputs(batch: int = 2, frames: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    target = torch.randn(batch, frames, 3, 8, 16, generator=draw)
    return target, torch.rand(batch, frames, generator=draw), torch.randn(batch, frames, 5, generator=draw)


def awake(config: DiTConfig = SMALL) -> DiT:
    """A network whose zero-initialised layers have been moved, so that every path counts."""
    torch.manual_seed(0)
    model = DiT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model.eval()


@pytest.mark.parametrize("audio", ["modulation", "attention"])
@pytest.mark.parametrize("references", [0, 1, 2])
def test_output_has_the_target_s_frames(audio: str, references: int) -> None:
    model = awake(DiTConfig(**{**SMALL.__dict__, "audio": audio}))
    target, time, sound = inputs()
    given = torch.randn(2, references, 3, 3, 8, 16) if references else None
    assert model(target, time, sound, given).shape == (2, 3, 3, 8, 16)


def test_it_starts_as_zero() -> None:
    assert DiT(SMALL)(*inputs()).abs().max() == 0


def test_patches_come_back_where_they_were() -> None:
    model = DiT(DiTConfig(**{**SMALL.__dict__, "depth": 0, "dim": 48}))
    with torch.no_grad():
        model.embed.weight.copy_(torch.eye(48))
        model.head.weight.copy_(torch.eye(48))
        model.place.zero_()
    target, time, sound = inputs()
    tokens = torch.nn.functional.layer_norm(
        target.unfold(3, 4, 4).unfold(4, 4, 4).permute(0, 1, 3, 4, 2, 5, 6).reshape(2, -1, 48), (48,)
    )
    expected = tokens.reshape(2, 3, 2, 4, 3, 4, 4).permute(0, 1, 4, 2, 5, 3, 6).reshape(2, 3, 3, 8, 16)
    torch.testing.assert_close(model(target, time, sound), expected)


def test_audio_and_time_of_a_frame_reach_the_output() -> None:
    model = awake()
    target, time, sound = inputs(1)
    plain = model(target, time, sound)
    for changed in (model(target, time, sound + 1), model(target, time / 2, sound)):
        assert (changed - plain).abs().mean() > 1e-3


def test_a_reference_is_told_from_the_target_by_its_position_alone() -> None:
    model = awake()
    target, time, sound = inputs(1)
    a, b = torch.randn(2, 1, 1, 3, 3, 8, 16)
    both, swapped = model(target, time, sound, torch.cat([a, b], 1)), model(target, time, sound, torch.cat([b, a], 1))
    assert (both - swapped).abs().max() > 1e-4


def test_rope_depends_on_differences_only() -> None:
    angles = rope_angles(1, 6, 2, 2, 16, torch.device("cpu")).reshape(6, 4, 8)
    q, k = torch.randn(2, 1, 1, 1, 16)
    dots = [float((rotate(q, angles[i, :1]) * rotate(k, angles[i + 2, :1])).sum()) for i in range(4)]
    assert dots == pytest.approx([dots[0]] * 4, abs=1e-5)
    assert float(rotate(q, angles[3, :1]).norm()) == pytest.approx(float(q.norm()), rel=1e-5)


def test_a_new_expert_changes_nothing_and_a_closed_gate_hides_it() -> None:
    model = awake()
    target, time, sound = inputs()
    plain = model(target, time, sound)
    add_expert(model, "lip", rank=2)
    on, off = {"lip": torch.ones(2)}, {"lip": torch.tensor([0.0, 1.0])}
    torch.testing.assert_close(model(target, time, sound, gates=on), plain)
    with torch.no_grad():
        for parameter in expert_parameters(model, "lip").values():
            parameter.normal_()
    changed = model(target, time, sound, gates=off)
    torch.testing.assert_close(changed[0], plain[0])
    assert (changed[1] - plain[1]).abs().max() > 1e-3


def test_lora_equals_the_merged_matrix() -> None:
    layer = AdaptedLinear(6, 4)
    layer.add_expert("texture", 2)
    torch.nn.init.normal_(layer.lora_up["texture"])
    x = torch.randn(3, 5, 6)
    merged = layer.weight + layer.lora_up["texture"] @ layer.lora_down["texture"]
    expected = x @ merged.T + layer.bias
    torch.testing.assert_close(layer(x, {"texture": torch.ones(3)}), expected)


def test_a_band_is_closed_on_both_sides() -> None:
    gate = Band(0.4, 0.8).gate(torch.tensor([0.39, 0.4, 0.6, 0.8, 0.81]))
    assert gate.tolist() == [0, 1, 1, 1, 0]
    with pytest.raises(ValueError, match=r"low 0\.9 and high 0\.1"):
        Band(0.9, 0.1)


def test_a_patch_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="patch 5 must divide height 8 and width 16"):
        DiTConfig(**{**SMALL.__dict__, "patch": 5})
