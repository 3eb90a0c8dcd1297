"""`server.json`: how the MCP registry describes the server and its packages."""

import hashlib
import json

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

STDIO = {"transport": {"type": "stdio"}, "packageArguments": [{"type": "positional", "value": "stdio"}]}


def write(project, bundles, path):
    version = project.version
    packages = [
        {"registryType": "npm", "identifier": "bifold", "version": version, "runtimeHint": "npx", **STDIO},
        {"registryType": "pypi", "identifier": "bifold", "version": version, "runtimeHint": "uvx", **STDIO},
        {"registryType": "oci", "identifier": f"{project.image}:{version}", "runtimeHint": "docker", **STDIO},
    ]
    for bundle in bundles:
        packages.append({
            "registryType": "mcpb",
            "identifier": f"{project.repository}/releases/download/v{version}/{bundle.name}",
            "fileSha256": hashlib.sha256(bundle.read_bytes()).hexdigest(),
            "transport": {"type": "stdio"},
        })
    server = {
        "$schema": SCHEMA,
        "name": project.registry_name,
        "title": "bifold",
        "description": project.description,
        "version": version,
        "repository": {"url": project.repository, "source": "github"},
        "packages": packages,
    }
    path.write_text(json.dumps(server, indent=2) + "\n")
