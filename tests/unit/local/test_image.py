from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.ecs.container import worker_image
from local.processes import guarded
from local.stack.stack import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def test_image_is_the_dockerfiles() -> None:
    """The local image holds the worker's package alone and runs what the Dockerfile says."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        assert [path.name for path in image.folder.iterdir()] == ["worker"]
        assert image.command[1:] == ["-m", "worker"]
    assert not image.folder.exists()


def test_dockerfile_without_entrypoint(tmp_path: Path) -> None:
    """A Dockerfile that does not say what runs is refused by name."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ValueError, match="ENTRYPOINT"), guarded() as processes:
        worker_image(tmp_path, processes)


def test_exit_code_of_a_signal() -> None:
    """A process that a signal ends shows the container's exit code: 128 and the signal."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        container = image.start({}, lambda _: None)
        container.kill()
        assert container.wait() == 137
