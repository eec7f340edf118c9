"""What is finished of a dub: read again, added to, and thrown away where it is of something else."""

import io

import numpy as np
import pytest

from components.core.base.errors import UserError
from components.dub.journal import Journal, Records

JOB = {"video": "a", "steps": 3}


def rows(count, start=0):
    return [np.full((2, 3), start + index, np.uint8) for index in range(count)]


def written(path, values):
    records = Records(path, (2, 3), np.uint8)
    while records.next() is not None:
        pass
    for value in values:
        records.add(value)
    records.close()


def read(path):
    records, found = Records(path, (2, 3), np.uint8), []
    while (one := records.next()) is not None:
        found.append(one)
    records.close()
    return found


def test_what_was_added_is_read_and_more_is_added_after_it(tmp_path):
    written(tmp_path / "r", rows(3))
    written(tmp_path / "r", rows(2, 3))
    np.testing.assert_array_equal(read(tmp_path / "r"), rows(5))


@pytest.mark.parametrize("cut", [1, 5])
def test_a_record_that_was_cut_off_is_given_up(tmp_path, cut):
    written(tmp_path / "r", rows(3))
    data = (tmp_path / "r").read_bytes()
    (tmp_path / "r").write_bytes(data[:-cut])
    written(tmp_path / "r", rows(1, 7))
    np.testing.assert_array_equal(read(tmp_path / "r"), [*rows(2), *rows(1, 7)])


def test_what_was_not_read_is_given_up_by_an_addition(tmp_path):
    written(tmp_path / "r", rows(5))
    records = Records(tmp_path / "r", (2, 3), np.uint8)
    records.next()
    records.add(rows(1, 9)[0])
    assert records.left == 0
    records.close()
    np.testing.assert_array_equal(read(tmp_path / "r"), [*rows(1), *rows(1, 9)])


def test_without_a_file_nothing_is_kept():
    records = Records(None, (2, 3), np.uint8)
    records.add(rows(1)[0])
    assert records.next() is None


def test_a_journal_of_the_same_job_goes_on_and_of_another_begins_anew(tmp_path):
    def begin(job):
        journal = Journal(tmp_path / "out.resume", job)
        records = journal.records("windows", (2, 3), np.uint8)
        return journal, records

    journal, records = begin(JOB)
    records.add(rows(1)[0])
    journal.close()
    journal, records = begin(dict(JOB))
    assert records.left == 1
    journal.close()
    journal, records = begin({**JOB, "steps": 4})
    assert records.left == 0
    journal.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["film.mov", "job.json"])
def test_a_folder_that_no_journal_made_is_never_touched(tmp_path, name):
    folder = tmp_path / "out.resume"
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(UserError, match=r"can not write .*out\.resume; got File exists"):
        Journal(folder, JOB)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "mine")]


def test_a_record_that_a_full_disk_takes_half_of_is_an_error(tmp_path):
    records = Records(tmp_path / "r", (2, 3), np.uint8)
    records._file.close()
    records._file = HalfFull(b"")
    with pytest.raises(OSError, match="No space left"):
        records.add(rows(1)[0])


class HalfFull(io.BytesIO):
    """A file on a disk that has room for three bytes."""

    def write(self, data):
        return super().write(data[:3])


def test_a_folder_that_can_not_be_written_is_said(tmp_path):
    (tmp_path / "out.resume").write_text("a file")
    with pytest.raises(UserError, match=r"can not write .*out\.resume"):
        Journal(tmp_path / "out.resume", JOB)
