"""Packs built binaries for npm, PyPI, container registries, MCP hosts and the MCP registry.

    python3 packaging OUT --owner OWNER TARGET=BINARY …

TARGET is a Rust target of the table in `project.py`. Everything that is written is the same for the same binaries.
"""

import argparse
import pathlib

import mcpb
import npm
import oci
import server
import wheel
from project import TARGETS, Project

parser = argparse.ArgumentParser(prog="packaging", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--owner", required=True, help="the owner of the repository on GitHub, who publishes the packages")
parser.add_argument("binaries", nargs="+", metavar="TARGET=BINARY")
arguments = parser.parse_args()

project = Project(arguments.owner)
binaries = []
for pair in arguments.binaries:
    name, _, path = pair.partition("=")
    if name not in TARGETS or not pathlib.Path(path).is_file():
        parser.error(f"{pair}: expected TARGET=BINARY, with a target of {', '.join(TARGETS)} and a file")
    binaries.append((TARGETS[name], pathlib.Path(path).read_bytes()))

out = arguments.out
out.mkdir(parents=True)
bundles = []
for target, binary in binaries:
    npm.pack_platform(project, target, binary, out)
    wheel.pack(project, target, binary, out)
    bundles.append(mcpb.pack(project, target, binary, out))
npm.pack_launcher(project, out)
oci.pack(project, [(target, binary) for target, binary in binaries if target.is_linux], out / "oci")
server.write(project, bundles, out / "server.json")
