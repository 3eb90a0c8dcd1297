"""Packages for npm: one with the binary for each platform, and one that npm completes with the right of them."""

import json

from project import PUBLISHED, ROOT, tar_gz


def package_json(project, name, more):
    return {
        "name": name,
        "version": project.version,
        "description": project.description,
        "license": project.license,
        "repository": {"type": "git", "url": f"git+{project.repository}.git"},
        **more,
    }


def write(project, name, more, files, out):
    manifest = json.dumps(package_json(project, name, more), indent=2) + "\n"
    files = [
        ("package.json", manifest.encode(), 0o644),
        ("README.md", project.readme().encode(), 0o644),
        *((f"LICENSE-{name}", (ROOT / f"LICENSE-{name}").read_bytes(), 0o644) for name in ("APACHE", "MIT")),
        *files,
    ]
    plain = name.replace("@", "").replace("/", "-")
    archive = tar_gz([(f"package/{name}", content, mode) for name, content, mode in files])
    (out / f"{plain}-{project.version}.tgz").write_bytes(archive)


def pack_platform(project, target, binary, out):
    more = {"os": [target.npm_os], "cpu": [target.npm_cpu], "preferUnplugged": True}
    write(project, f"@bifold/{target.name}", more, [(f"bin/{target.program}", binary, 0o755)], out)


def pack_launcher(project, out):
    more = {
        "mcpName": project.registry_name,
        "keywords": project.keywords,
        "bin": {"bifold": "launcher.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {f"@bifold/{target.name}": project.version for target in PUBLISHED},
    }
    launcher = (ROOT / "packaging" / "launcher.js").read_bytes()
    write(project, "bifold", more, [("launcher.js", launcher, 0o755)], out)
