"""Images of services are made of what the catalogue knows."""

from pathlib import Path
from types import SimpleNamespace

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.modules import service_images


class Refused(Exception):
    """What a module ends with."""


def fail(msg: str) -> None:
    """End as a module does."""
    raise Refused(msg)


def test_version_that_the_catalogue_does_not_know_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_images, "ROOT", tmp_path)
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "current").symlink_to(tmp_path / "auth" / "1.2.3")
    module = SimpleNamespace(params={"catalogue": {"auth": {"2.0.0": {}}}, "source": "build"}, fail_json=fail)
    with pytest.raises(Refused, match=r"auth 1\.2\.3 is installed here, which is no version of the catalogue"):
        service_images.Image(module, "auth").make("anything", None)
