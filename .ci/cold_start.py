"""Measures cold starts: from the start of a Lambda function's process until it first asks for an invocation.

    .ci/cold_start.py BINARY [OTHER] [--starts 40] [--instructions]

Two binaries are started in turn and compared as a ratio, so that it holds while the machine's speed drifts. With
--instructions valgrind counts what a start executes, which is the same each time.
"""

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
parser.add_argument("binaries", nargs="+", metavar="BINARY")
parser.add_argument("--starts", type=int, default=40)
parser.add_argument("--instructions", action="store_true")
options = parser.parse_args()

# A stand-in for the platform: who connects is about to ask for an invocation.
platform = socket.create_server(("127.0.0.1", 0))
settings = {
    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{platform.getsockname()[1]}",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_GROUP_NAME": "group",
    "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
}


def asked_for_an_invocation():
    """The connection on which an invocation is asked for; extensions, which come first, are refused."""
    while True:
        connection, _ = platform.accept()
        if b"/invocation/next" in connection.recv(4096):
            return connection
        connection.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        connection.close()


def start(command):
    """Milliseconds of wall time and of processor time of one start."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with asked_for_an_invocation():
        took = time.perf_counter() - began
        # A signal that nobody catches: what a process does at its end is no part of its start.
        os.kill(process.pid, signal.SIGQUIT)
        _, _, usage = os.wait4(process.pid, 0)
    process.returncode = -signal.SIGQUIT
    return took * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def instructions(binary):
    with tempfile.NamedTemporaryFile() as log:
        start(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}", binary])
        return int(re.search(r"Collected : (\d+)", log.read().decode())[1])


def row(name, unit, figures):
    medians = [statistics.median(it) for it in figures]
    pairs = [first / other for first, other in zip(figures[0], figures[-1])]
    ratio = f"{statistics.median(pairs):6.2f} x" if len(figures) > 1 else ""
    print(f"{name:<14}", *(f"{it:>12.2f} {unit}" for it in medians), ratio)


for binary in options.binaries:
    start([binary])
starts = [[start([it]) for it in options.binaries] for _ in range(options.starts)]
row("start to next", "ms", [[it[place][0] for it in starts] for place in range(len(options.binaries))])
row("processor", "ms", [[it[place][1] for it in starts] for place in range(len(options.binaries))])
if options.instructions:
    row("instructions", "k ", [[instructions(it) / 1000] for it in options.binaries])
