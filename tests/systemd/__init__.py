"""Unit files, judged by the real systemd: make test-services, which needs systemd-analyze."""
