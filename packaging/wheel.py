"""A wheel for PyPI whose only content is the binary, which installers put beside `python`."""

import base64
import hashlib

from project import ROOT, zip_file


def pack(project, target, binary, out):
    tags = [f"py3-none-{platform}" for platform in target.wheel.split(".")]
    info = f"bifold-{project.version}.dist-info"
    metadata = "\n".join([
        "Metadata-Version: 2.4",
        "Name: bifold",
        f"Version: {project.version}",
        f"Summary: {project.description}",
        f"Keywords: {','.join(project.keywords)}",
        f"Project-URL: Repository, {project.repository}",
        f"License-Expression: {project.license}",
        "License-File: LICENSE-APACHE",
        "License-File: LICENSE-MIT",
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown",
        "",
        project.readme(),
    ])
    wheel = ["Wheel-Version: 1.0", "Generator: bifold", "Root-Is-Purelib: false", *(f"Tag: {tag}" for tag in tags), ""]
    files = [
        (f"bifold-{project.version}.data/scripts/{target.program}", binary, 0o755),
        *((f"{info}/licenses/LICENSE-{name}", (ROOT / f"LICENSE-{name}").read_bytes(), 0o644) for name in ("APACHE", "MIT")),
        (f"{info}/METADATA", metadata.encode(), 0o644),
        (f"{info}/WHEEL", "\n".join(wheel).encode(), 0o644),
    ]
    record = [f"{name},sha256={digest(content)},{len(content)}" for name, content, _ in files]
    record.append(f"{info}/RECORD,,")
    files.append((f"{info}/RECORD", ("\n".join(record) + "\n").encode(), 0o644))
    zip_file(out / f"bifold-{project.version}-py3-none-{target.wheel}.whl", files)


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
