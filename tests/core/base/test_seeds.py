"""One stream per name, the same everywhere."""

from components.core.base import seeds


def test_the_value_is_the_same_on_every_machine() -> None:
    assert seeds.derive(0, "generator") == 7_167_384_883_674_073_096


def test_names_and_seeds_give_streams_of_their_own() -> None:
    values = {seeds.derive(seed, *names) for seed in (0, 1) for names in (("a",), ("b",), ("a", 1), ("a", 1, 2))}
    assert len(values) == 8
    assert all(0 <= value < 2**63 for value in values)


def test_generators_repeat() -> None:
    assert (seeds.rng(3, "x").random(4) == seeds.rng(3, "x").random(4)).all()
    assert (seeds.rng(3, "x").random(4) != seeds.rng(3, "y").random(4)).all()
