"""A container image as an OCI layout: the binary on an empty file system, for every Linux platform."""

import gzip
import hashlib
import json
import pathlib
import subprocess
import tempfile

from project import tar

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# A user without a name and without rights.
USER = "65532:65532"
PORT = 8080


def pack(project, binaries, out):
    blobs = out / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(media_type, content, **more):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    def document(media_type, value, **more):
        return blob(media_type, json.dumps(value, separators=(",", ":")).encode(), **more)

    labels = {
        "org.opencontainers.image.title": "bifold",
        "org.opencontainers.image.description": project.description,
        "org.opencontainers.image.version": project.version,
        "org.opencontainers.image.licenses": project.license,
        "org.opencontainers.image.source": project.repository,
        # By this the MCP registry knows whose image it is.
        "io.modelcontextprotocol.server.name": project.registry_name,
    }
    manifests = []
    for target, binary in binaries:
        layers = [tar(files) for files in (libraries(binary), [("bifold", binary, 0o755)]) if files]
        platform = {"os": "linux", "architecture": target.oci_cpu}
        config = {
            **platform,
            "config": {
                "User": USER,
                "Entrypoint": ["/bifold"],
                "Cmd": ["serve", "--listen", f"0.0.0.0:{PORT}"],
                "ExposedPorts": {f"{PORT}/tcp": {}},
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": document(CONFIG, config),
            "layers": [blob(LAYER, gzip.compress(layer, mtime=0)) for layer in layers],
            "annotations": labels,
        }
        manifests.append(document(MANIFEST, manifest, platform=platform))
    images = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": labels}
    image = document(INDEX, images, annotations={"org.opencontainers.image.ref.name": project.version})
    (out / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [image]}))
    (out / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def libraries(binary):
    """The shared libraries of a binary that is not static, as a layer; the published ones have none."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "bifold"
        program.write_bytes(binary)
        program.chmod(0o755)
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return []
    paths = [word for line in listed.stdout.splitlines() for word in line.split() if word.startswith("/")]
    files = {}
    for path in map(pathlib.Path, paths):
        for folder in list(path.parents)[-2::-1]:
            files[folder] = (str(folder)[1:], None, 0o755)
        files[path] = (str(path)[1:], path.read_bytes(), 0o755)
    return list(files.values())
