"""Decisions survive merges, hostile text and bad lines; the latest counts."""

import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from components.core.base import reviews
from components.core.base.errors import UserError
from components.core.base.reviews import Decision

ROOT = Path(__file__).resolve().parents[3]
ONE = Decision("2026-01-01T00:00:00.000000+00:00", "0123456789ab", "pair", "clip--0", "reject", "blurred", "Ann")


def later(decision: Decision, day: int, **changes: str) -> Decision:
    return replace(decision, time=f"2026-01-{day:02}T00:00:00.000000+00:00", **changes)


def test_what_is_appended_is_read_in_the_order_of_time(tmp_path: Path):
    hostile = replace(
        ONE, id="<script>\u2028../..", comment='"; rm -rf /\n</script>\r\n\x00 \u202e\x85 漢字', reviewer="{{7*7}}"
    )
    reviews.append(tmp_path / "b.jsonl", later(ONE, 3))
    reviews.append(tmp_path / "b.jsonl", hostile)
    reviews.append(tmp_path / "a.jsonl", later(ONE, 2))
    assert reviews.read(tmp_path) == [hostile, later(ONE, 2), later(ONE, 3)]
    assert len((tmp_path / "b.jsonl").read_text().splitlines()) == 2
    assert reviews.read(tmp_path / "absent") == []
    assert reviews.rejected(tmp_path, "pair") == {ONE.id, hostile.id}


def test_the_latest_verdict_counts_and_comments_do_not():
    decisions = [
        later(ONE, 3, verdict="approve"),
        ONE,
        later(ONE, 4, verdict="comment"),
        later(ONE, 5, kind="clip", verdict="reject"),
    ]
    assert {key: d.verdict for key, d in reviews.standing(decisions, "pair").items()} == {"clip--0": "approve"}
    assert {key: d.verdict for key, d in reviews.standing(decisions, "clip").items()} == {"clip--0": "reject"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "person"}, "kind must be one of"),
        ({"verdict": "maybe"}, "verdict must be one of"),
        ({"verdict": "comment", "comment": " "}, "needs words"),
        ({"id": ""}, "id must have 1 to"),
        ({"comment": "x" * 4001}, "got 4001"),
        ({"reviewer": ""}, "reviewer must have"),
        ({"time": "yesterday"}, "isoformat"),
        ({"comment": 7}, "comment must be text"),
    ],
)
def test_what_is_no_decision_is_refused(change: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        reviews.build(asdict(ONE) | change)
    for values in ([], asdict(ONE) | {"more": ""}, {"kind": "pair"}):
        with pytest.raises(ValueError, match="has the keys"):
            reviews.build(values)


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "{", "[]", "\xff"])
def test_a_bad_line_is_named(tmp_path: Path, line: str):
    reviews.append(tmp_path / "a.jsonl", ONE)
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=r"line 2 of .*a\.jsonl is no decision"):
        reviews.read(tmp_path)


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"comment": "cut o')
    reviews.append(path, ONE)
    with pytest.raises(UserError, match="line 1 of"):
        reviews.read(tmp_path)
    path.write_text(path.read_text().partition("\n")[2])  # as the message says: the line is deleted
    assert reviews.read(tmp_path) == [ONE]


@pytest.mark.parametrize("before", [[ONE], []], ids=["both add to a file", "both begin it"])
def test_two_people_merge_without_conflict(tmp_path: Path, before: list[Decision]):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(*decisions: Decision) -> None:
        for decision in decisions:
            reviews.append(tmp_path / "reviews" / "rev.jsonl", decision)
        git("add", ".")
        git("commit", "-m", "Decide")

    git("init", "-b", "main")
    (tmp_path / ".gitattributes").write_text((ROOT / ".gitattributes").read_text())
    commit(*before)
    git("checkout", "-b", "bob")
    commit(later(ONE, 2, reviewer="Bob"))
    git("checkout", "main")
    commit(later(ONE, 3, reviewer="Cleo"))
    git("merge", "bob")
    assert [d.reviewer for d in reviews.read(tmp_path / "reviews")] == [*(d.reviewer for d in before), "Bob", "Cleo"]
