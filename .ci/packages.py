"""Builds every package from the local binary, and starts each as its users do: `npx`, `uvx`, a container, a bundle.

A registry on this machine stands in for npm and PyPI. The TypeScript and the Python SDK of MCP speak with what was started,
over standard input and output, in both protocol eras.
"""

import asyncio
import base64
import hashlib
import http.server
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile

import jsonschema
from mcp import Client
from mcp.client.stdio import StdioServerParameters

binary, modules, tools, out = (pathlib.Path(it).resolve() for it in sys.argv[1:])
CI = pathlib.Path(__file__).parent
OWNER = "example"
MODERN = "2026-07-28"
WALLET = "pb1c9rqwfefggk3s3y79rh8quwvp8rf8ayr7qvmk8"
TARGET = f"{platform.machine().replace('arm64', 'aarch64')}-unknown-linux-gnu"

# What the MCP registry demands of `server.json` (schema 2025-12-11), as far as ours has it.
TEXT = {"type": "string", "minLength": 1, "maxLength": 100}
STDIO = {"type": "object", "required": ["type"], "properties": {"type": {"const": "stdio"}}}
ARGUMENT = {"type": "object", "required": ["type", "value"], "properties": {"type": {"enum": ["positional", "named"]}, "value": {"type": "string"}}}
SERVER = {
    "type": "object",
    "required": ["$schema", "name", "description", "version"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "minLength": 3, "maxLength": 200, "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": TEXT,
        "description": TEXT,
        "version": {"type": "string", "maxLength": 255, "pattern": r"^\d+\.\d+\.\d+$"},
        "repository": {"type": "object", "required": ["url", "source"], "additionalProperties": False,
                       "properties": {"url": {"type": "string", "pattern": "^https://"}, "source": {"const": "github"}}},
        "packages": {"type": "array", "minItems": 4, "items": {
            "type": "object",
            "required": ["registryType", "identifier", "transport"],
            "additionalProperties": False,
            "properties": {
                "registryType": {"enum": ["npm", "pypi", "oci", "mcpb"]},
                "identifier": {"type": "string", "minLength": 1},
                "version": {"type": "string", "minLength": 1, "not": {"const": "latest"}},
                "runtimeHint": {"enum": ["npx", "uvx", "docker"]},
                "fileSha256": {"type": "string", "pattern": "^[a-f0-9]{64}$"},
                "packageArguments": {"type": "array", "items": ARGUMENT},
                "transport": STDIO,
            },
            "allOf": [
                # An image says its version in its name, a bundle in its URL, which must have `mcp` in it.
                {"if": {"properties": {"registryType": {"const": "oci"}}},
                 "then": {"properties": {"identifier": {"pattern": "^[^:]+:[0-9.]+$"}, "version": False}}},
                {"if": {"properties": {"registryType": {"const": "mcpb"}}},
                 "then": {"required": ["fileSha256"], "properties": {"identifier": {"pattern": "^https://github.com/.*mcp.*\\.mcpb$"}}}},
                {"if": {"properties": {"registryType": {"enum": ["npm", "pypi"]}}}, "then": {"required": ["version"]}},
            ],
        }},
    },
    "additionalProperties": False,
}


def run(*command, **more):
    ran = subprocess.run([str(it) for it in command], check=False, capture_output=True, text=True, timeout=300, **more)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}")
    return ran.stdout


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} instead of {expected!r}")


class Registry(http.server.BaseHTTPRequestHandler):
    """Serves the built packages as npm and PyPI do."""

    def do_GET(self):
        path = self.path.replace("%2f", "/").replace("%2F", "/").strip("/")
        archive = packages / path.rsplit("/", 1)[-1]
        if path.startswith("files/") and archive.is_file():
            self.answer("application/octet-stream", archive.read_bytes())
        elif path == "simple/bifold":
            links = "".join(f'<a href="/files/{wheel.name}">{wheel.name}</a>' for wheel in packages.glob("*.whl"))
            self.answer("text/html", links.encode())
        elif path in npm_packages:
            self.answer("application/json", json.dumps(npm_packages[path]).encode())
        else:
            self.send_error(404)

    def answer(self, media_type, body):
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def npm_index(base):
    """What npm's registry says of each package."""
    found = {}
    for archive in packages.glob("*.tgz"):
        content = archive.read_bytes()
        with tarfile.open(archive) as files:
            manifest = json.load(files.extractfile("package/package.json"))
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        dist = {"tarball": f"{base}/files/{archive.name}", "integrity": integrity}
        name, version = manifest["name"], manifest["version"]
        found[name] = {"name": name, "dist-tags": {"latest": version}, "versions": {version: {**manifest, "dist": dist}}}
    return found


async def python_client(what, command, environment):
    """The Python SDK starts the server and calls one function, in each era."""
    for mode, version in (("auto", MODERN), ("legacy", "2025-11-25")):
        parameters = StdioServerParameters(command=str(command[0]), args=[str(it) for it in command[1:]], env=environment)
        async with Client(parameters, mode=mode) as client:
            same(f"{what}, python {mode}", client.protocol_version, version)
            result = await client.call_tool("fetch_account_info", {"wallet_address": WALLET})
            same(f"{what}, python {mode}", result.structured_content["account_is_vesting"], True)


def clients(what, command, environment):
    node = [shutil.which("node"), CI / "packages.mjs", modules, json.dumps([str(it) for it in command])]
    run(*node, env=environment)
    asyncio.run(python_client(what, command, environment))
    print(f"{what}: lists and calls over stdio; TypeScript and Python, both eras")


def unpack_image(layout, folder):
    """The files of the image for this machine, layer by layer."""
    def document(descriptor):
        content = (layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
        same(descriptor["digest"], "sha256:" + hashlib.sha256(content).hexdigest(), descriptor["digest"])
        return content

    index = json.loads((layout / "index.json").read_text())
    images = json.loads(document(index["manifests"][0]))
    manifest = json.loads(document(images["manifests"][0]))
    for layer in manifest["layers"]:
        archive = folder.with_suffix(".tar.gz")
        archive.write_bytes(document(layer))
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="tar")
    return json.loads(document(manifest["config"]))


shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
# Debug information is most of a debug binary.
lean = out / "bifold"
run("strip", "-o", lean, binary)
packages = out / "packages"
run(sys.executable, CI.parent / "packaging", packages, "--owner", OWNER, f"{TARGET}={lean}")
again = out / "again"
run(sys.executable, CI.parent / "packaging", again, "--owner", OWNER, f"{TARGET}={lean}")
for file in filter(pathlib.Path.is_file, packages.rglob("*")):
    same(f"{file.name} of a second run", (again / file.relative_to(packages)).read_bytes() == file.read_bytes(), True)
shutil.rmtree(again)
version = run(lean, "--version").split()[1]

described = json.loads((packages / "server.json").read_text())
jsonschema.Draft202012Validator(SERVER).validate(described)
name = described["name"]
for package in described["packages"]:
    if package["registryType"] == "mcpb":
        bundle = packages / package["identifier"].rsplit("/", 1)[1]
        same("fileSha256", hashlib.sha256(bundle.read_bytes()).hexdigest(), package["fileSha256"])
same("version of server.json", described["version"], version)
print(f"server.json: {name} {version}, {len(described['description'])} characters of description")

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
base = f"http://127.0.0.1:{server.server_port}"
npm_packages = npm_index(base)
same("mcpName", npm_packages["bifold"]["versions"][version]["mcpName"], name)
threading.Thread(target=server.serve_forever, daemon=True).start()

# Only this registry, and a home of its own: nothing that is installed here already can stand in.
home = out / "home"
home.mkdir()
environment = {
    "PATH": os.environ["PATH"], "HOME": str(home), "npm_config_registry": base, "npm_config_update_notifier": "false",
    "BIFOLD_LOG": "error",
    "UV_DEFAULT_INDEX": f"{base}/simple", "UV_CACHE_DIR": str(home / "uv"), "UV_PYTHON_DOWNLOADS": "never",
}
elsewhere = {"env": environment, "cwd": home}
npx = [shutil.which("npx"), "--yes", f"bifold@{version}"]
same("npx bifold --version", run(*npx, "--version", **elsewhere), f"bifold {version}\n")
failed = subprocess.run([*npx, "call", "nothing"], check=False, capture_output=True, timeout=300, **elsewhere)
same("exit code through npx", failed.returncode, 2)
clients("npx bifold stdio", [*npx, "stdio", "--replay"], environment)

run(tools / "twine", "check", "--strict", *packages.glob("*.whl"))
with zipfile.ZipFile(next(packages.glob("*.whl"))) as wheel:
    metadata = wheel.read(f"bifold-{version}.dist-info/METADATA").decode()
same("name in the wheel", re.search("mcp-name: (\\S+)", metadata)[1], name)
uvx = [tools / "uvx", f"bifold@{version}"]
same("uvx bifold --version", run(*uvx, "--version", **elsewhere), f"bifold {version}\n")
clients("uvx bifold stdio", [*uvx, "stdio", "--replay"], environment)

bundle = next(packages.glob("*.mcpb"))
mcpb = modules / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"
run("node", mcpb, "unpack", bundle, out / "bundle")
run("node", mcpb, "validate", out / "bundle" / "manifest.json")
config = json.loads((out / "bundle" / "manifest.json").read_text())["server"]["mcp_config"]
command = [it.replace("${__dirname}", str(out / "bundle")) for it in (config["command"], *config["args"])]
clients("bundle", [*command, "--replay"], environment)

# Skopeo reads the image as registries do, and checks every digest.
layout = packages / "oci"
image = json.loads(run("skopeo", "inspect", f"oci:{layout}:{version}"))
same("label of the image", image["Labels"]["io.modelcontextprotocol.server.name"], name)
run("skopeo", "--insecure-policy", "copy", f"oci:{layout}:{version}", f"dir:{out / 'copied'}")
root = out / "root"
config = unpack_image(layout, root)["config"]
sudo = [] if os.geteuid() == 0 else ["sudo"]
user, group = config["User"].split(":")
command = [*sudo, shutil.which("chroot"), f"--userspec={user}:{group}", root, *config["Entrypoint"]]
clients("image", [*command, "stdio", "--replay"], environment)
server.shutdown()
