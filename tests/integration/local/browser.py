"""A real browser on this machine, and a page for it that belongs to a stranger."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KNOWN = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_QUIET = (
    "--headless",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# It makes requests, one after the other, and reports what it could see of each answer.
_PAGE = """<!doctype html><script>
(async () => {
  const seen = {};
  for (const [name, url, options] of %s) {
    try {
      const answer = await fetch(url, options);
      seen[name] = answer.type === "opaque" ? "opaque" : answer.status + await answer.text();
    } catch (error) {
      seen[name] = "refused";
    }
  }
  await fetch("/", {method: "POST", body: JSON.stringify(seen)});
})();
</script>"""


def browser() -> str:
    """Return a browser's program; without one a test is skipped."""
    program = next(filter(None, map(shutil.which, _KNOWN)), None)
    if program is None:
        pytest.skip(f"No browser is installed: {', '.join(_KNOWN)}")
    return str(program)


def seen_by_page(
    requests: list[tuple[str, str, dict[str, Any]]], folder: Path, aliases: str
) -> dict[str, str]:
    """Let a page in a browser make requests, and return what it sees of the answers.

    Args:
        requests: for each a name, the URL and the options of `fetch`.
        folder: for the browser's profile.
        aliases: a host's name that the browser takes for this machine's.
    """
    program = browser()
    with _site(_PAGE % json.dumps(requests)) as (url, reports):
        options = [
            *_QUIET,
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            f"--user-data-dir={folder}",
            f"--host-resolver-rules=MAP {aliases} 127.0.0.1",
        ]
        with (folder / "printed").open("w") as printed:
            running = subprocess.Popen([program, *options, url], stdout=printed, stderr=printed)
        try:
            return reports.get(timeout=PATIENCE)
        except queue.Empty:
            pytest.fail(f"The page reports nothing: {(folder / 'printed').read_text()}")
        finally:
            running.terminate()
            running.wait(PATIENCE)


@contextmanager
def _site(page: str) -> Iterator[tuple[str, queue.SimpleQueue[dict[str, str]]]]:
    reports: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/", reports
        server.shutdown()
