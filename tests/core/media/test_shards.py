import pytest

from components.core.media import shards


def fill(folder, keys=("a", "b", "c", "d", "e")):
    with shards.ShardWriter(folder, "x", 2) as writer:
        return [writer.add(key, {"mp4": key.encode() * 3, "json": {"z": 1, "key": key}}) for key in keys]


def test_samples_come_back_in_order_and_one_by_one(tmp_path) -> None:
    names = fill(tmp_path)
    assert names == ["x-00000.tar", "x-00000.tar", "x-00001.tar", "x-00001.tar", "x-00002.tar"]
    found = list(shards.iterate(tmp_path))
    assert [key for key, _ in found] == list("abcde")
    assert found[3][1] == {"mp4": b"ddd", "json": {"z": 1, "key": "d"}} == shards.read(tmp_path, names[3], "d")


def test_the_same_samples_are_the_same_bytes_and_old_shards_go(tmp_path) -> None:
    fill(tmp_path / "one")
    fill(tmp_path / "two", tuple("abcdefgh"))
    fill(tmp_path / "two")
    one, two = (sorted(path.glob("*.tar")) for path in (tmp_path / "one", tmp_path / "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize("key", ["", "a.b", "a/b"])
def test_a_key_that_a_tar_would_split_is_an_error(tmp_path, key) -> None:
    with shards.ShardWriter(tmp_path, "x", 1) as writer, pytest.raises(ValueError, match="key"):
        writer.add(key, {"mp4": b""})


def test_a_missing_key_and_an_empty_shard_are_errors(tmp_path) -> None:
    fill(tmp_path)
    with pytest.raises(KeyError, match="nobody"):
        shards.read(tmp_path, "x-00000.tar", "nobody")
    with pytest.raises(ValueError, match="per_shard=0"):
        shards.ShardWriter(tmp_path, "x", 0)
