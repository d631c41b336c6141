"""The chain: how an event is spelt, and what is found when somebody changes a log."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audit import chain, segments
from engine.audit.chain import GENESIS, Flaw, canonical, digest, verify, verify_lines
from engine.audit.journal import Journal


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_each_line_holds_the_hash_of_the_one_before(log):
    head = GENESIS
    for number, line in enumerate(lines(log), 1):
        event = json.loads(line)
        assert (event["seq"], event["prev"], event["run"]) == (number, head, "r1")
        bare = json.dumps({k: v for k, v in event.items() if k != "hash"}, sort_keys=True, separators=(",", ":"))
        head = event["hash"]
        assert head == hashlib.sha256(bare.encode()).hexdigest()
    verified = verify(log)
    assert (verified.events, verified.head, verified.flaws) == (100, head, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_an_event_is_spelt_in_one_way(event):
    spelt = canonical(event)
    assert spelt.isascii() and b"\n" not in spelt
    assert canonical(json.loads(spelt)) == spelt
    assert canonical(dict(reversed(event.items()))) == spelt
    assert digest({**event, "hash": "whatever"}) == digest({k: v for k, v in event.items() if k != "hash"})


def test_numbers_that_json_does_not_know_are_refused():
    with pytest.raises(ValueError, match="JSON"):
        canonical({"n": float("nan")})


def test_every_change_of_one_byte_is_found_and_named_by_its_line(log, monkeypatch):
    monkeypatch.setattr(chain, "check", functools.cache(chain.check))  # the lines that were not changed are as they were
    chance, every = random.Random(1), lines(log)
    for number, line in enumerate(every, 1):
        before, after = every[: number - 1], every[number:]
        for position, old in enumerate(line):
            new = chance.choice([old ^ 1 << chance.randrange(8), *b'\n \r}",0a\x00\xff'])
            if new != old:
                changed = line[:position] + bytes([new]) + line[position + 1 :]
                assert first_flaw(before, changed, after) == number, (position, new)


@pytest.mark.parametrize("number", [1, 50, 99, 100])
def test_a_changed_line_feed_is_found_everywhere(log, number):
    every = lines(log)
    for new in set(range(256)) - {10}:
        assert first_flaw(every[: number - 1], every[number - 1][:-1] + bytes([new]), every[number:]) == number


def first_flaw(before, changed, after):
    parted = io.BytesIO(changed + b"".join(after[:1])).readlines()
    flaws = verify_lines([*before, *parted, *after[1:]]).flaws
    return flaws[0].line if flaws else None


def mangled(every, how):
    at = 40
    return {
        "removed": every[:at] + every[at + 1 :],
        "first removed": every[1:],
        "duplicated": every[: at + 1] + every[at:],
        "swapped": [*every[:at], every[at + 1], every[at], *every[at + 2 :]],
        "inserted": [*every[:at], b'{"event":"x"}\n', *every[at:]],
        "blank": [*every[:at], b"\n", *every[at:]],
        "spelt otherwise": [*every[:at], every[at].replace(b'":', b'": ', 1), *every[at + 1 :]],
        "no object": [*every[:at], b"[]\n", *every[at + 1 :]],
        "too deep": [*every[:at], b"[" * 100000 + b"\n", *every[at + 1 :]],
        "not JSON's numbers": [*every[:at], every[at].replace(b'"seq":41', b'"seq":NaN'), *every[at + 1 :]],
    }[how]


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("removed", 41), ("first removed", 1), ("duplicated", 42), ("swapped", 41), ("inserted", 41), ("blank", 41), ("spelt otherwise", 41),
        ("no object", 41), ("too deep", 41), ("not JSON's numbers", 41),
    ],
)  # fmt: skip
def test_a_removed_moved_or_added_line_is_named(log, how, line):
    log.write_bytes(b"".join(mangled(lines(log), how)))
    assert verify(log).flaws[0].line == line


def test_a_line_that_was_hashed_anew_does_not_fit_the_next(log):
    every = lines(log)
    event = {**json.loads(every[40]), "moment": "another"}
    every[40] = canonical({**event, "hash": digest(event)}) + b"\n"
    log.write_bytes(b"".join(every))
    assert [flaw.line for flaw in verify(log).flaws] == [42]


def test_a_wrong_number_is_named(tmp_path):
    event = {"event": "x", "seq": 2, "prev": GENESIS}
    (tmp_path / "log").write_bytes(canonical({**event, "hash": digest(event)}) + b"\n")
    assert verify(tmp_path / "log").flaws == [Flaw(1, "is numbered 2, expected 1", str(tmp_path / "log"))]


@pytest.fixture
def grown(tmp_path):
    """A log of 100 events in several files, closed."""
    made = Journal(tmp_path / "audit.jsonl", segment=6000)
    while made.events < 99:
        made.append("moment", key=f"k{made.events}", moment="é")
    made.append("run.ended", status="succeeded")
    made.close()
    assert made.events == 100
    return made.path


def flaws(path):
    return [(flaw.file.rpartition("/")[2], flaw.line) for flaw in verify(path).flaws]


def parts(path):
    return [part for part in segments.every(path) if part.exists()]


def test_a_log_of_several_files_is_one_chain(grown):
    head = GENESIS
    numbers = []
    assert len(parts(grown)) > 3
    for part in parts(grown):
        for line in lines(part):
            event = json.loads(line)
            assert event["prev"] == head
            head = event["hash"]
            numbers.append(event["seq"])
        assert part.stat().st_size < 6600
    assert numbers == list(range(1, 101))
    verified = verify(grown)
    assert (verified.events, verified.head, verified.flaws) == (100, head, [])
    assert (verified.file, verified.line) == (str(part), len(lines(part)))


def test_every_change_of_one_byte_is_named_by_its_file_and_line(grown, monkeypatch):
    monkeypatch.setattr(chain, "check", functools.cache(chain.check))
    chance, every = random.Random(2), {part: lines(part) for part in parts(grown)}
    for part, own in every.items():
        for number, line in enumerate(own, 1):
            edges = [0, len(line) - 2, len(line) - 1] if number in (1, len(own)) else []
            for position in [*edges, *chance.sample(range(len(line)), 6)]:
                new = chance.choice([line[position] ^ 1 << chance.randrange(8), *b'\n \r}",0a\x00\xff'])
                if new == line[position]:
                    continue
                part.write_bytes(b"".join([*own[: number - 1], line[:position] + bytes([new]) + line[position + 1 :], *own[number:]]))
                assert flaws(grown)[0] == (part.name, number), (part.name, number, position, new)
        part.write_bytes(b"".join(own))
    assert flaws(grown) == []


def test_a_missing_file_is_named_wherever_it_was(grown):
    for part in parts(grown):
        kept = part.read_bytes()
        part.unlink()
        assert flaws(grown) == [(part.name, 1)]
        part.write_bytes(kept)
    last, before = parts(grown)[-1], parts(grown)[-2]
    last.unlink()
    before.unlink()
    assert flaws(grown) == [(before.name, 1)]


def test_a_cut_file_is_named(grown):
    for part in parts(grown)[:-1]:
        whole = lines(part)
        for keep in (len(whole) - 1, len(whole) // 2):
            part.write_bytes(b"".join(whole[:keep]))
            assert flaws(grown) == [(part.name, keep)]
        part.write_bytes(b"")
        assert flaws(grown)[0] == (part.name, 1)
        part.write_bytes(b"".join(whole)[:-40])
        assert flaws(grown) == [(part.name, len(whole))]
        part.write_bytes(b"".join(whole))


def test_all_that_are_missing_are_named(grown):
    second, last = parts(grown)[1], parts(grown)[-1]
    second.unlink()
    last.unlink()
    assert [(flaw.file, flaw.line, flaw.message) for flaw in verify(grown).flaws] == [
        (str(second), 1, "is missing"),
        (str(last), 1, "is missing"),
    ]


def test_what_is_wrong_with_a_file_is_told_in_its_words(grown):
    first, second, third, *_ = parts(grown)
    whole, count = lines(first), len(lines(first))
    first.write_bytes(b"".join(whole[:-1]))
    (flaw,) = verify(grown).flaws
    cut = f"does not say, in its last line, that the log goes on in {second.name}: the end was cut off"
    assert flaw == Flaw(count - 1, cut, str(first))
    first.write_bytes(b"".join(whole)[:-40])
    assert verify(grown).flaws == [Flaw(count, "was changed: it is not a whole event", str(first))]
    first.write_bytes(b"".join(whole))
    second.write_bytes(b"")
    assert verify(grown).flaws[0] == Flaw(1, "is empty, and yet there is another file after it", str(second))


def test_files_that_were_swapped_are_named(grown):
    _, second, third, *_ = parts(grown)
    one, other = second.read_bytes(), third.read_bytes()
    second.write_bytes(other)
    third.write_bytes(one)
    assert flaws(grown)[0] == (second.name, 1)


def test_an_empty_file_behind_the_last_is_what_a_crash_leaves_and_two_are_not(grown):
    number = len(parts(grown)) + 1
    segments.name(grown, number).touch()
    assert flaws(grown) == []
    segments.name(grown, number + 1).touch()
    assert flaws(grown) == [(segments.name(grown, number).name, 1)]


def test_a_log_that_is_not_there_is_missed(tmp_path):
    path = tmp_path / "audit.jsonl"
    found = verify(path)
    assert (found.flaws, found.events, found.file, found.line) == ([Flaw(1, "is missing", str(path))], 0, str(path), 1)


def six(tmp_path):
    """The lines of a log of six events."""
    made = Journal(tmp_path / "six")
    for number in range(6):
        made.append("step.ended", key=f"k{number}")
    made.close()
    return (tmp_path / "six").read_bytes().splitlines(keepends=True)


def renumbered(line):
    event = {**json.loads(line), "seq": 9}
    return chain.canonical(event | {"hash": chain.digest(event)}) + b"\n"


NO_EVENT, NO_FIT = "was changed: it is not a whole event", "was changed: it does not stand as it was written, or its hash does not fit"
MOVED = "does not follow the line before: a line was removed, added or moved"


@pytest.mark.parametrize(
    ("change", "flaws"),
    [
        (lambda log: log, []),
        (lambda log: [*log[:2], b"nothing\n", *log[3:]], [(3, NO_EVENT)]),
        (lambda log: [*log[:2], b"[1]\n", *log[3:]], [(3, NO_EVENT)]),
        (lambda log: [*log[:2], log[2].replace(b":", b": ", 1), *log[3:]], [(3, NO_FIT)]),
        (lambda log: [*log[:2], log[2].replace(b'"seq":3', b'"seq":NaN'), *log[3:]], [(3, NO_FIT)]),
        (lambda log: [*log[:2], log[2].replace(b"k2", b"k9"), *log[3:]], [(3, NO_FIT)]),
        (lambda log: [*log[:2], *log[3:]], [(3, MOVED)]),
        (lambda log: log[1:], [(1, MOVED)]),
        (lambda log: [log[0], log[2], log[1], *log[3:]], [(2, MOVED), (4, MOVED)]),
        (lambda log: [*log[:1], b"x\n", *log[2:4], b"y\n", log[5]], [(2, NO_EVENT), (5, NO_EVENT)]),
        (lambda log: [*log[:1], b"x\n", *log[2:4], log[5]], [(2, NO_EVENT), (5, MOVED)]),
        (lambda log: [*log[:5], renumbered(log[5])], [(6, "is numbered 9, expected 6")]),
        (lambda log: [*log, log[5][:-9]], []),  # what a crash leaves
        (lambda log: [*log[:5], b"x"], [(6, NO_EVENT)]),
    ],
)
def test_every_trouble_is_told_once_in_its_words(tmp_path, change, flaws):
    found = chain.verify_lines(change(six(tmp_path)))
    assert found.flaws == [Flaw(line, message, file="") for line, message in flaws]
    assert found.file == ""


def test_a_changed_line_counts_and_has_no_hash_of_its_own(tmp_path):
    log = six(tmp_path)
    found = chain.verify_lines([*log[:5], b"x\n"])
    assert (found.events, found.hashes[-1], found.head) == (6, chain.CHANGED, json.loads(log[4])["hash"])


def test_every_character_beyond_ascii_is_escaped():
    assert chain.canonical({"b": "ü", "a": "\U0001f600"}) == b'{"a":"\\ud83d\\ude00","b":"\\u00fc"}'
