"""What the containers are given."""

from pathlib import Path
from typing import Any

import pytest

from libs.common.runtime.media.formats import LARGEST

yaml: Any = pytest.importorskip("yaml")


def test_uploads_are_written_down_on_a_disk_and_not_in_memory() -> None:
    composed = yaml.safe_load(Path("deploy/compose.yaml").read_text())
    intake = composed["services"]["intake"]
    mounts = dict(reversed(mount.split(":")) for mount in intake["volumes"])
    place = intake["environment"]["TMPDIR"]
    assert place not in intake["tmpfs"]
    assert mounts[place] in composed["volumes"]
    assert LARGEST * 2 * 16 < 6.8e9, "the room that the file says is needed"
