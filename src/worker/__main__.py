"""The default command, `python -m worker`: it runs `work` of work.py."""

from __future__ import annotations

from worker.process import run
from worker.work import work

if __name__ == "__main__":
    run(work)
