"""What is written into the timers of four systems, and taken out again."""

import json
import plistlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from smugmug_backup.cli.errors import hint_of
from smugmug_backup.cli.timers import cron, launchd, systemd, timers, windows
from smugmug_backup.cli.timers.job import Job, jobs_of, names_of, program, time_of_day
from smugmug_backup.errors import BadRequest
from tests.tools.programs import Programs

RUN, CHECK = jobs_of("default", hour=3, minute=5, program=("/opt/smugmug-backup",), environment={})
SAY = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ.get('AWS_PROFILE')]))"
WORDS = ("--profile", "a b", "50%", 'it\'s "so"', "$HOME", "back\\slash", "end\\", "")
ODD = Job(
    "smugmug-backup-odd",
    "Back up 100 % & <more>",
    (sys.executable, "-c", SAY, *WORDS),
    23,
    0,
    True,
    {"AWS_PROFILE": "my photos 5%"},
)


def printed(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=True, **more)
    return json.loads(done.stdout)


# -- what is started when ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("3", (3, 0)),
        ("03:00", (3, 0)),
        (" 3.30 ", (3, 30)),
        ("23:59", (23, 59)),
        ("0330", (3, 30)),
        ("24:00", None),
        ("3:60", None),
        ("", None),
        ("three", None),
    ],
)
def test_a_time_of_day_is_read_as_people_write_it(text, time):
    if time is None:
        with pytest.raises(BadRequest, match="like 03:00"):
            time_of_day(text)
    else:
        assert time_of_day(text) == time


def test_a_run_and_three_hours_later_a_check():
    environment = {"AWS_PROFILE": "photos", "AWS_SECRET_ACCESS_KEY": "hush", "PATH": "/bin"}
    run, check = jobs_of("nas", hour=22, minute=30, program=("/p",), environment=environment)
    assert run.command == ("/p", "run", "--profile", "nas")
    assert check.command == ("/p", "check", "--profile", "nas", "--read-data", "5GB")
    assert (run.at, check.at) == ("22:30", "01:30")
    assert run.environment == check.environment == {"AWS_PROFILE": "photos"}
    assert (run.name, check.name) == names_of("nas")


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 33, "-x", "a%b"])
def test_a_profile_whose_name_fits_nowhere_has_no_timer(name):
    with pytest.raises(BadRequest, match="name of a timer"):
        names_of(name)


def test_this_very_program_is_found_by_an_absolute_path(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["/somewhere/else", "setup"])
    assert program() == (sys.executable, "-m", "smugmug_backup.cli")
    script = tmp_path / "smugmug-backup"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script), "setup"])
    assert program() == (str(script),)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["./smugmug-backup", "setup"])
    assert program() == (str(script),)


# -- systemd -----------------------------------------------------------------------------------


@pytest.mark.parametrize("job", [RUN, CHECK, ODD], ids=lambda job: job.name)
def test_systemd_takes_the_units_as_they_are(job, tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze: apt-get install systemd")
    # The program has to be there.
    job = replace(job, command=(sys.executable, *job.command[1:]))
    (tmp_path / f"{job.name}.service").write_text(systemd.service(job))
    (tmp_path / f"{job.name}.timer").write_text(systemd.timer(job))
    done = subprocess.run(
        [analyze, "--user", "verify", tmp_path / f"{job.name}.timer"],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert job.name not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_systemd_makes_up_for_a_missed_night_and_tries_a_failed_run_again():
    assert "\nOnCalendar=*-*-* 03:05:00\nPersistent=true\n" in systemd.timer(RUN)
    assert "\nRestart=on-failure\n" in systemd.service(RUN)
    assert "Restart=" not in systemd.service(CHECK)
    assert 'ExecStart="/opt/smugmug-backup" "run" "--profile" "default"\n' in systemd.service(RUN)


def test_systemd_reads_every_word_whole():
    line = re.search(r"^ExecStart=(.*)$", systemd.service(ODD), re.MULTILINE)[1]
    # Words of C's kind in quotes, of which "%%" and "$$" are one letter each.
    words = [
        re.sub(r"\\(.)", r"\1", each).replace("%%", "%").replace("$$", "$")
        for each in re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    ]
    assert tuple(words) == ODD.command
    assert 'Environment="AWS_PROFILE=my photos 5%%"' in systemd.service(ODD)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "home"


def test_systemd_gets_its_units_and_loses_them_again(home, monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "systemctl", "loginctl")
    programs.answer("loginctl show-user", out="no\n")
    unit = timers.timers_of("systemd")
    assert unit.is_there()
    assert unit.state("default") is None
    said = unit.install("default", [RUN, CHECK])
    assert "missed is made up" in said[0] and "logged out" in said[1]
    folder = home / ".config" / "systemd" / "user"
    assert {each.name for each in folder.iterdir()} == {
        f"{name}.{kind}" for name in names_of("default") for kind in ("service", "timer")
    }
    assert "systemctl --user daemon-reload" in programs.called
    assert any(each.startswith("systemctl --user enable smug") for each in programs.called)
    assert "loginctl enable-linger" in programs.called
    assert unit.install("default", [RUN, CHECK]) == said
    assert unit.remove("default")
    assert not [*folder.iterdir()]
    assert not unit.remove("default")


@pytest.mark.usefixtures("home")
def test_what_systemd_says_of_its_timer_is_told(monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "systemctl", "loginctl")
    programs.answer("loginctl show-user", out="yes\n")
    unit = timers.timers_of("systemd")
    unit.install("default", [RUN])
    run = RUN.name
    programs.answer(f"systemctl --user show {run}.timer", out="Sat 2026-11-28 03:05:00 UTC\n")
    assert unit.state("default").remedy is None
    assert "next Sat 2026-11-28 03:05:00 UTC" in unit.state("default").said
    programs.answer(f"systemctl --user show {run}.service", out="exit-code\n")
    assert "ended with exit-code" in unit.state("default").said
    assert "journalctl" in unit.state("default").remedy
    programs.answer(f"systemctl --user show {run}.service", out="success\n")
    programs.answer("loginctl show-user", out="no\n")
    assert "nothing runs while you are logged out" in unit.state("default").said
    programs.answer(f"systemctl --user is-active {run}.timer", status=3)
    assert "does not run" in unit.state("default").said


@pytest.mark.usefixtures("home")
def test_what_a_system_refuses_is_one_sentence(monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "systemctl")
    programs.answer("systemctl --user daemon-reload", status=1, err="x\nno bus\n")
    with pytest.raises(BadRequest, match="systemctl --user daemon-reload` failed: no bus") as told:
        timers.timers_of("systemd").install("default", [RUN])
    assert "--timer cron" in hint_of(told.value)


# -- cron --------------------------------------------------------------------------------------


def test_cron_reads_every_word_whole():
    minute, hour, *rest, command = cron.line(ODD).split(" ", 5)
    assert (minute, hour, rest) == ("0", "23", ["*", "*", "*"])
    assert not re.search(r"(?<!\\)%", command)
    assert printed(["/bin/sh", "-c", command.replace("\\%", "%")]) == [
        [*WORDS],
        "my photos 5%",
    ]


def test_cron_takes_the_lines_as_they_are(tmp_path):
    crontab = shutil.which("crontab")
    if crontab is None:
        pytest.skip("cron: apt-get install cron")
    table = tmp_path / "table"
    table.write_text(cron.with_jobs("MAILTO=me\n", "default", [RUN, CHECK, ODD]))
    done = subprocess.run([crontab, "-n", table], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table.write_text("0 25 * * * true\n")
    assert subprocess.run([crontab, "-n", table], capture_output=True).returncode != 0


@pytest.mark.parametrize("table", ["", "MAILTO=me\n", "MAILTO=me\n0 1 * * * x", "# a\n\n# b\n"])
def test_what_else_stands_in_the_crontab_stays(table):
    once = cron.with_jobs(table, "default", [RUN])
    assert once.startswith(table)
    assert cron.with_jobs(once, "default", [RUN]) == once
    both = cron.with_jobs(once, "nas", [CHECK])
    assert cron.without(both, "nas") == once
    assert cron.without(once, "default").rstrip("\n") == table.rstrip("\n")
    moved = cron.with_jobs(both, "default", [replace(RUN, hour=4)])
    assert "5 4 * * *" in moved and "5 3 * * *" not in moved and CHECK.command[1] in moved


def test_cron_gets_its_lines_and_loses_them_again(monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "crontab")
    table = timers.timers_of("cron")
    assert table.is_there()
    assert table.state("default") is None
    assert not table.remove("default")
    assert table.install("default", [RUN, CHECK]) == [cron.SAID.capitalize() + "."]
    assert "makes up for nothing" in table.install("default", [RUN, CHECK])[0]
    assert programs.table.count("/opt/smugmug-backup") == 2
    assert "every day at 03:05; it makes up for nothing" in table.state("default").said
    assert table.remove("default")
    assert programs.table is None
    programs.table = "0 1 * * * mine\n"
    table.install("default", [RUN])
    table.remove("default")
    assert programs.table == "0 1 * * * mine\n"


def test_a_crontab_that_cannot_be_read_is_not_written_over(monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "crontab")
    programs.table = "0 1 * * * mine\n"
    programs.answer("crontab -l", status=1, err="you may not use this program\n")
    with pytest.raises(BadRequest, match="you may not use this program"):
        timers.timers_of("cron").install("default", [RUN])
    assert programs.table == "0 1 * * * mine\n"


# -- launchd and Task Scheduler: parsed, and what they would start is started --------------------


def test_a_plist_says_when_and_what(tmp_path):
    value = plistlib.loads(launchd.plist(ODD, log=Path("/tmp/log")))
    assert value["StartCalendarInterval"] == {"Hour": 23, "Minute": 0}
    assert value["RunAtLoad"] is True
    assert value["Label"] == ODD.name
    said = printed(value["ProgramArguments"], env=value["EnvironmentVariables"])
    assert said == [[*WORDS], "my photos 5%"]
    assert plistlib.loads(launchd.plist(CHECK, log=Path("/tmp/log")))["RunAtLoad"] is False


def words_of(line):
    """A command line as Windows' programs read it (CommandLineToArgvW)."""
    words, word, quoted, begun, position = [], "", False, False, 0
    while position < len(line):
        slashes = len(line[position:]) - len(line[position:].lstrip("\\"))
        position += slashes
        letter = line[position : position + 1]
        if letter == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            begun = True
        else:
            word += "\\" * slashes
            if letter in (" ", "") and not quoted:
                words += [word] if word or begun else []
                word, begun = "", False
            else:
                word += letter
        position += 1
    return words + ([word] if word or begun else [])


def test_a_task_says_when_and_what():
    tree = ET.fromstring(windows.task(ODD).encode("utf-16"))
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}

    def text(path):
        return tree.find(path, space).text

    assert text("t:RegistrationInfo/t:Description") == ODD.said
    assert text(".//t:StartBoundary").endswith("T23:00:00")
    assert text(".//t:StartWhenAvailable") == "true"
    assert text(".//t:DaysInterval") == "1"
    command = [text(".//t:Command"), *words_of(text(".//t:Arguments"))]
    assert printed(command)[0] == [*WORDS]


def test_launchd_gets_its_agents_and_loses_them_again(home, monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "launchctl")
    agents = timers.timers_of("launchd")
    assert agents.is_there()
    assert agents.state("default") is None
    assert any("not yet tried" in each for each in agents.install("default", [RUN, CHECK]))
    agents.install("default", [RUN, CHECK])
    assert len([*(home / "Library" / "LaunchAgents").iterdir()]) == 2
    assert agents.state("default").remedy is None
    programs.answer("launchctl print", status=113)
    assert "launchctl bootstrap" in agents.state("default").remedy
    assert agents.remove("default")
    assert not [*(home / "Library" / "LaunchAgents").iterdir()]
    assert not agents.remove("default")


def test_task_scheduler_gets_its_tasks_and_loses_them_again(monkeypatch, tmp_path):
    programs = Programs(monkeypatch, "schtasks")
    tasks = timers.timers_of("windows")
    assert tasks.is_there()
    said = tasks.install("default", [RUN, CHECK])
    assert "made up" in said[0] and "not yet tried" in said[1]
    assert sum("/Create" in each for each in programs.called) == 2
    assert tasks.state("default").remedy is None
    assert tasks.remove("default")
    programs.answer("schtasks", status=1)
    assert tasks.state("default") is None
    assert not tasks.remove("default")


# -- which of them -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("linux", ["systemd", "cron"]),
        ("freebsd14", ["systemd", "cron"]),
        ("darwin", ["launchd", "cron"]),
        ("win32", ["windows"]),
    ],
)
def test_each_kind_of_system_has_its_timers_the_best_first(platform, names):
    assert [each.name for each in timers.known_here(platform)] == names


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("there", "best"), [(["systemctl", "crontab"], "systemd"), (["crontab"], "cron"), ([], None)]
)
def test_the_best_that_is_there_is_taken(monkeypatch, tmp_path, there, best):
    Programs(monkeypatch, *there)
    found = timers.best_here()
    assert (found and found.name) == best


@pytest.mark.usefixtures("home")
def test_a_timer_that_moved_to_another_system_leaves_none_behind(monkeypatch, tmp_path):
    Programs(monkeypatch, "systemctl", "loginctl", "crontab")
    timers.timers_of("cron").install("default", [RUN])
    timers.timers_of("systemd").install("default", [RUN])
    assert [name for name, _ in timers.states("default")] == ["systemd", "cron"]
    assert timers.remove_all("default", but="systemd") == ["cron"]
    assert [name for name, _ in timers.states("default")] == ["systemd"]
    assert timers.remove_all("default") == ["systemd"]
    assert timers.states("default") == []
