"""Flow matching against closed forms."""

import numpy as np
import pytest
import torch

from components.core.diffusion.flow import Timesteps, clean_from_velocity, damped_clean, noised, weighted_mse


@pytest.mark.parametrize(("shift", "peak"), [(5.0, 0.921), (1.5, 0.684), (0.2, 0.079)])
def test_timesteps_peak_where_the_paper_says(shift: float, peak: float) -> None:
    drawn = Timesteps(shift, "logit_normal", 0.0).draw(400_000, torch.Generator().manual_seed(0)).numpy()
    counts, edges = np.histogram(drawn, bins=50, range=(0, 1))
    assert edges[counts.argmax()] - 0.02 <= peak <= edges[counts.argmax() + 1] + 0.02
    assert 0 < drawn.min() < drawn.max() < 1


def test_shift_one_on_a_uniform_base_is_uniform() -> None:
    drawn = Timesteps(1.0, "uniform", 0.0).draw(100_000, torch.Generator().manual_seed(0))
    assert abs(float(drawn.mean()) - 0.5) < 5e-3
    assert abs(float(drawn.var()) - 1 / 12) < 2e-3


def test_a_frame_with_time_zero_stays_clean_and_velocity_leads_back() -> None:
    clean, noise = torch.randn(2, 3, 3, 4, 4), torch.randn(2, 3, 3, 4, 4)
    time = torch.tensor([[0.0, 0.5, 1.0], [0.2, 0.9, 0.0]])
    noisy = noised(clean, noise, time)
    torch.testing.assert_close(noisy[0, 0], clean[0, 0])
    torch.testing.assert_close(noisy[0, 2], noise[0, 2])
    torch.testing.assert_close(clean_from_velocity(noisy, noise - clean, time), clean)


def test_damping_takes_the_paper_s_step() -> None:
    clean, noise, predicted = torch.randn(3, 1, 2, 3, 4, 4)
    for t, tau in ((0.3, 0.3), (0.6, 0.6), (0.9, 0.6)):
        time = torch.full((1, 2), t)
        noisy = noised(clean, noise, time)
        difference = (noise - clean) - (noisy - predicted) / t  # v - v_hat
        torch.testing.assert_close(damped_clean(predicted, clean, time), clean + difference * tau)


def test_weights_leave_frames_out_and_count_lips_more() -> None:
    target, weight = torch.zeros(1, 2, 3, 2, 2), torch.ones(1, 2, 1, 2, 2)
    predicted = target.clone()
    predicted[:, 1] = 2.0
    weight[:, 1] = 0
    assert float(weighted_mse(predicted, target, weight)) == 0
    weight[:, 1] = 3
    assert float(weighted_mse(predicted, target, weight)) == pytest.approx(4 * 3 / 4)


def test_a_shift_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shift -1\.0"):
        Timesteps(-1.0, "uniform", 0.0)


def test_a_share_of_the_draws_is_where_sampling_starts() -> None:
    drawn = Timesteps(5.0, "logit_normal", 0.3).draw(100_000, torch.Generator().manual_seed(0))
    assert (drawn == 1).double().mean().item() == pytest.approx(0.3, abs=0.01)
    with pytest.raises(ValueError, match="start_share"):
        Timesteps(5.0, "logit_normal", 1.2)
