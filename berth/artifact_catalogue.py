"""The catalogue of artifacts as typed objects: shipped file, merged with the operator's own."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

SHIPPED = Path(__file__).with_name("catalogue.yml")
OVERRIDE_VARIABLE = "BERTH_CATALOGUE"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Platform = Literal["linux-x86_64", "linux-aarch64"]
Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]*$")]


def _stays_inside(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError("must be a relative path without '..'")
    return path


InsidePath = Annotated[str, AfterValidator(_stays_inside)]


class ArtifactError(Exception):
    """Anything that keeps an artifact from being fetched."""


class CatalogueError(ArtifactError):
    """The catalogue, or the operator's file over it, is wrong or lacks what was asked for."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Model):
    def fingerprint(self) -> str:
        """Return a digest of all that this source says; it changes when a checksum or an address does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class ArchiveSource(_Source):
    """A tar archive at an address: one member of it, or all of it."""

    kind: Literal["archive"]
    url: Annotated[str, Field(pattern=r"^(https?|file)://")]
    sha256: Sha256 | None = None
    member: InsidePath | None = None
    member_sha256: Sha256 | None = None

    def describe(self) -> str:
        """Return the words that name this source in messages."""
        return f"archive {self.url}"


class NpmSource(_Source):
    """One file out of a package of the npm registry."""

    kind: Literal["npm"]
    package: str
    version: Version
    member: InsidePath
    member_sha256: Sha256

    def describe(self) -> str:
        """Return the words that name this source in messages."""
        return f"npm package {self.package} {self.version}"


class GoSource(_Source):
    """The command at the root of a Go module, built here; h1 is the module's sum as go.sum writes it."""

    kind: Literal["go"]
    module: str
    revision: str
    toolchain: Annotated[str, Field(pattern=r"^go1\.\d+\.\d+$")]
    h1: Annotated[str, Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")] | None = None
    binary_sha256: Sha256 | None = None

    def describe(self) -> str:
        """Return the words that name this source in messages."""
        return f"Go module {self.module}@{self.revision}"


class NodeRuntime(_Model):
    """Node.js itself, taken out of a Python wheel."""

    package: str
    version: Version
    platform: str
    sha256: Sha256
    member: InsidePath


class NpmTreeSource(_Source):
    """A locked tree of npm packages with the Node.js that runs it; tree names a directory in berth/node."""

    kind: Literal["npm-tree"]
    tree: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    lock_sha256: Sha256
    package: str
    version: Version
    entry: InsidePath
    prune: tuple[InsidePath, ...] = ()
    node: NodeRuntime

    def describe(self) -> str:
        """Return the words that name this source in messages."""
        return f"npm tree {self.package} {self.version} with Node.js {self.node.version}"


Source = Annotated[ArchiveSource | NpmSource | GoSource | NpmTreeSource, Field(discriminator="kind")]


class Image(_Model):
    """A container image in a registry, pinned by its digest; command where its own entry point is not the service."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.:-]*/[a-z0-9._/-]+$")]
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    command: tuple[str, ...] = ()


class Build(_Model):
    """Where one version for one platform comes from, best source first; packages: what an image built of it needs."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    image: Image | None = None
    packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")], ...] = ()


class Service(_Model):
    """The versions of one service and the executable that each of them installs."""

    executable: InsidePath
    default: Version
    versions: dict[Version, dict[Platform, Build]]


class Catalogue(_Model):
    """All services; checksums gives, by address, a sha256 for an archive that is listed without one."""

    services: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], Service]
    checksums: dict[str, Sha256] = {}

    def service(self, name: str) -> Service:
        """Return one service; raises CatalogueError that lists the known ones."""
        if name not in self.services:
            raise CatalogueError(f"service {name!r} is not in the catalogue; known: {', '.join(self.services)}")
        return self.services[name]

    def build(self, name: str, version: str, platform: str) -> Build:
        """Return the sources of one version with known checksums filled in; raises CatalogueError."""
        versions = self.service(name).versions
        if version not in versions:
            raise CatalogueError(f"{name} {version!r} is not in the catalogue; versions: {', '.join(versions)}")
        if platform not in versions[version]:
            known = ", ".join(versions[version])
            raise CatalogueError(f"{name} {version} has no sources for platform {platform!r}; it has: {known}")
        return Build(sources=tuple(self._with_checksum(source) for source in versions[version][platform].sources))

    def images(self, name: str, platform: str) -> dict[str, dict[str, Any]]:
        """Return for each version what its container image is made of; raises CatalogueError."""
        service = self.service(name)
        return {
            version: {"executable": service.executable, **builds[platform].model_dump(include={"image", "packages"})}
            for version, builds in service.versions.items()
            if platform in builds
        }

    def _with_checksum(self, source: Source) -> Source:
        if isinstance(source, ArchiveSource) and source.sha256 is None and source.url in self.checksums:
            return source.model_copy(update={"sha256": self.checksums[source.url]})
        return source


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError(f"{path}: cannot be read as YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise CatalogueError(f"{path}: found {type(content).__name__}; must be a mapping with the key 'services'")
    return content


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merge(base.get(key), value) for key, value in over.items()}
    return over


def load(environment: Mapping[str, str] = os.environ) -> Catalogue:
    """Return the shipped catalogue merged with the file named by BERTH_CATALOGUE; raises CatalogueError."""
    content, files = _read(SHIPPED), str(SHIPPED)
    if override := environment.get(OVERRIDE_VARIABLE):
        content, files = _merge(content, _read(Path(override))), f"{override} over {SHIPPED}"
    try:
        return Catalogue.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc']))}: found {item['input']!r}: {item['msg']}" for item in error.errors()
        ]
        raise CatalogueError(f"{files}: correct these fields:\n  " + "\n  ".join(lines)) from error
