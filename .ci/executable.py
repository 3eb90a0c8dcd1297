"""Checks that an executable needs no loader, and is loaded where it was linked: nothing is left to do before `main`."""

import pathlib
import struct
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
kind, machine = struct.unpack_from("<HH", data, 16)
start, (size, count) = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<HH", data, 54)
kinds = {struct.unpack_from("<I", data, start + size * at)[0] for at in range(count)}
EXECUTABLE, AARCH64, INTERPRETER = 2, 183, 3
if (kind, machine) != (EXECUTABLE, AARCH64) or INTERPRETER in kinds:
    sys.exit(f"{sys.argv[1]}: not a static executable for arm64: type {kind}, machine {machine}, segments {kinds}")
print(f"arm64: {len(data)} bytes, static")
