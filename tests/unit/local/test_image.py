from __future__ import annotations

from pathlib import Path

import pytest

from local.ecs.container import worker_image
from local.processes import guarded
from local.stack.stack import PROJECT
from tests.template import stack
from tests.waiting import PATIENCE


def test_image_is_the_dockerfiles() -> None:
    """The local image runs what the Dockerfile says, as the template does with such an image."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        assert image.command == ["python", "-m", "worker"]
    [definition] = stack(WorkerImage="x").of_type("AWS::ECS::TaskDefinition").values()
    assert definition["ContainerDefinitions"][0]["Command"] == image.command


def test_own_copy() -> None:
    """A container works in a copy of its own of the worker's folder, and leaves that as it was."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        lines: list[str] = []
        container = image.start({}, lines.append, ["sh", "-c", "pwd; ls ..; ls work.py; touch x"])
        assert container.wait(PATIENCE) == 0
        assert lines[1:] == ["worker", "work.py"]
        assert not Path(lines[0]).is_relative_to(PROJECT)
    assert not Path(lines[0]).exists()
    assert not (PROJECT / "src" / "worker" / "x").exists()


def test_module_of_the_code() -> None:
    """A module that lies beside the worker's is run by its own name, by the image's Python."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        lines: list[str] = []
        command = ["python", "-c", "import work, worker.work; print(work.__file__)"]
        assert image.start({}, lines.append, command).wait(PATIENCE) == 0
        assert lines[0].endswith("/worker/work.py")


def test_dockerfile_without_command(tmp_path: Path) -> None:
    """A Dockerfile that does not say what runs is refused by name."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(ValueError, match="CMD"), guarded() as processes:
        worker_image(tmp_path, processes)


def test_exit_code_of_a_signal() -> None:
    """A process that a signal ends shows the container's exit code: 128 and the signal."""
    with guarded() as processes:
        image = worker_image(PROJECT / "src" / "worker", processes)
        container = image.start({}, lambda _: None)
        container.kill()
        assert container.wait() == 137
