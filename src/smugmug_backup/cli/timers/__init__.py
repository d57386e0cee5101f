"""Timers of the system that start a run every night: written, looked at and removed again.

`job` says what is started when; a module for each system says it in that system's words, by pure
functions, and puts it there. Start at `timers`.

**Not yet tried**: launchd and Windows' Task Scheduler. What is written for them is parsed by the
tests, and the command line in it is run.
"""

NAMES = ("systemd", "launchd", "windows", "cron")
