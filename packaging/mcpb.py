"""A bundle that MCP hosts install with a click. It is not signed."""

import json

from project import ROOT, zip_file


def pack(project, target, binary, out):
    """Writes the bundle, and returns its path."""
    program = f"server/{target.program}"
    manifest = {
        "manifest_version": "0.3",
        "name": "bifold",
        "display_name": "bifold",
        "version": project.version,
        "description": project.description,
        "author": {"name": project.owner, "url": f"https://github.com/{project.owner}"},
        "repository": {"type": "git", "url": project.repository},
        "license": project.license,
        "keywords": project.keywords,
        "server": {
            "type": "binary",
            "entry_point": program,
            "mcp_config": {"command": f"${{__dirname}}/{program}", "args": ["stdio"], "env": {}},
        },
        # Hosts ask the server for its list.
        "tools_generated": True,
        "compatibility": {"platforms": [target.npm_os]},
    }
    path = out / f"bifold-mcp-{project.version}-{target.name}.mcpb"
    zip_file(path, [
        ("manifest.json", (json.dumps(manifest, indent=2) + "\n").encode(), 0o644),
        *((f"LICENSE-{name}", (ROOT / f"LICENSE-{name}").read_bytes(), 0o644) for name in ("APACHE", "MIT")),
        (program, binary, 0o755),
    ])
    return path
