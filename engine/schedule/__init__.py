"""When runbooks run by themselves: moments, what is due, what was missed, and what cron and systemd are told."""
