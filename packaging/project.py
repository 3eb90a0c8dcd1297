"""What all packages say about the project, the platforms that they are for, and archives that are the same every time."""

import dataclasses
import gzip
import io
import pathlib
import tarfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The earliest time that a ZIP file can carry.
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclasses.dataclass(frozen=True)
class Target:
    """A platform, by the names that the package registries have for it."""

    npm_os: str
    npm_cpu: str
    # The tag of a wheel. Static binaries of Linux run with every libc.
    wheel: str
    oci_cpu: str = ""

    @property
    def is_linux(self):
        return self.npm_os == "linux"

    @property
    def program(self):
        return "bifold.exe" if self.npm_os == "win32" else "bifold"

    @property
    def name(self):
        return f"{self.npm_os}-{self.npm_cpu}"


TARGETS = {
    "x86_64-unknown-linux-musl": Target("linux", "x64", "manylinux_2_17_x86_64.musllinux_1_1_x86_64", "amd64"),
    "aarch64-unknown-linux-musl": Target("linux", "arm64", "manylinux_2_17_aarch64.musllinux_1_1_aarch64", "arm64"),
    "x86_64-apple-darwin": Target("darwin", "x64", "macosx_10_12_x86_64"),
    "aarch64-apple-darwin": Target("darwin", "arm64", "macosx_11_0_arm64"),
    "x86_64-pc-windows-msvc": Target("win32", "x64", "win_amd64"),
    # Of a developer's machine: these wheels are refused by PyPI.
    "x86_64-unknown-linux-gnu": Target("linux", "x64", "linux_x86_64", "amd64"),
    "aarch64-unknown-linux-gnu": Target("linux", "arm64", "linux_aarch64", "arm64"),
}
PUBLISHED = [target for name, target in TARGETS.items() if not name.endswith("-gnu")]


class Project:
    """The project, as `Cargo.toml` describes it, and its owner."""

    def __init__(self, owner):
        package = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
        self.version = package["version"]
        self.license = package["license"]
        self.keywords = package["keywords"]
        self.description = "MCP and REST server for Provenance Blockchain and Figure Markets"
        self.repository = f"https://github.com/{owner}/bifold"
        self.image = f"ghcr.io/{owner.lower()}/bifold"
        # The name in the MCP registry, whose owner signs in with GitHub.
        self.registry_name = f"io.github.{owner}/bifold"
        self.owner = owner

    def readme(self):
        """What a package index shows. PyPI's readers and the MCP registry find the server's name in it."""
        return (
            f"# bifold\n\n{self.description}. The package holds one program without dependencies.\n\n"
            "`bifold stdio` serves MCP on standard input and output, `bifold serve` MCP and REST on a socket, and "
            "`bifold client URL list` asks any other MCP server.\n\n"
            f"Documentation: {self.repository}\n\n<!-- mcp-name: {self.registry_name} -->\n"
        )


def tar_gz(files):
    """A compressed tar file of `(name, content, mode)`."""
    return gzip.compress(tar(files), mtime=0)


def tar(files):
    """A tar file of `(name, content, mode)`; without content it is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in files:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            if content is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zip_file(path, files):
    """Writes a ZIP file of `(name, content, mode)`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            # Unix, so that programs stay executable.
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
