import pytest

from engine.errors import UsageError
from engine.installers import crontab

EVERYTHING = lambda _file: True  # noqa: E731


@pytest.fixture
def kept(program, texts):
    return program("crontab", texts["crontab"])


def test_it_is_installed_once_and_taken_away_again(kept, wanted):
    kept.write_bytes(b"MAILTO=me\r\n5 4 * * * mine")
    done = crontab.install(wanted("/a.yaml", "/b.yaml"), EVERYTHING)
    assert done.changed and len(done.items) == 2 and b"/usr/bin/opsbook -q run /a.yaml" in kept.read_bytes()
    before = kept.read_bytes(), kept.stat().st_mtime_ns
    assert not crontab.install(wanted("/a.yaml", "/b.yaml"), EVERYTHING).changed
    assert (kept.read_bytes(), kept.stat().st_mtime_ns) == before, "it was not even written"
    assert len(crontab.remove(EVERYTHING, own=False).items) == 2
    assert kept.read_bytes() == b"MAILTO=me\r\n5 4 * * * mine"
    assert not crontab.remove(EVERYTHING, own=False).changed


def test_without_a_crontab_yet(kept, wanted):
    assert not crontab.remove(EVERYTHING, own=False).changed and not kept.exists()
    crontab.install(wanted("/a.yaml"), EVERYTHING)
    assert kept.read_text() == crontab.shown(wanted("/a.yaml"))
    crontab.remove(EVERYTHING, own=False)
    assert kept.read_bytes() == b""


def test_a_zone_of_the_crontab_above_our_lines_is_told(kept, wanted):
    kept.write_text("CRON_TZ=Asia/Tokyo\n5 4 * * * mine\n")
    (note,) = crontab.install(wanted("/a.yaml"), EVERYTHING).notes
    assert "CRON_TZ=Asia/Tokyo stands above" in note
    kept.write_text("# CRON_TZ=x\n")
    assert crontab.install(wanted("/a.yaml"), EVERYTHING).notes == ()


def test_broken_markers_change_nothing(kept, wanted):
    kept.write_text("# BEGIN opsbook schedule\n")
    for change in (lambda: crontab.install(wanted("/a.yaml"), EVERYTHING), lambda: crontab.remove(EVERYTHING, own=False)):
        with pytest.raises(UsageError, match="marker lines"):
            change()
    assert kept.read_text() == "# BEGIN opsbook schedule\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!/bin/sh\necho 'you may not use this program' >&2; exit 1", "crontab -l: you may not use this program"),
        ("#!/bin/sh\nif [ $1 = - ]; then echo 'bad minute' >&2; exit 1; fi", "crontab -: bad minute; nothing was changed"),
        ("#!/bin/sh\necho half; exit 3", "crontab -l: ended with 3"),
        ("#!/no/such/interpreter", "does not answer"),
    ],
)
def test_a_crontab_program_that_does_not_do_its_work(program, wanted, text, message):
    program("crontab", text)
    with pytest.raises(UsageError, match=message):
        crontab.install(wanted("/a.yaml"), EVERYTHING)


def test_without_the_program(monkeypatch, tmp_path, wanted):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no program crontab") as caught:
        crontab.install(wanted("/a.yaml"), EVERYTHING)
    assert "--systemd" in caught.value.hint
    assert "/a.yaml" in crontab.shown(wanted("/a.yaml"))


def test_a_program_that_hangs_is_given_up(program, wanted, monkeypatch):
    monkeypatch.setattr("engine.schedule.program.PATIENCE", 0.05)
    program("crontab", "#!/bin/sh\nexec sleep 5")
    with pytest.raises(UsageError, match="does not answer"):
        crontab.install(wanted("/a.yaml"), EVERYTHING)
