"""A server of FastMCP for `client.py`."""

import sys

from fastmcp import Context, FastMCP

server = FastMCP("cafe")


@server.tool
async def add(a: int, b: float, context: Context) -> float:
    """Adds two numbers."""
    await context.report_progress(1, 2)
    return a + b


@server.tool
async def ask(context: Context) -> str:
    """Asks for a name."""
    asked = await context.elicit("Who are you?", response_type=str)
    return f"Hello, {asked.data}!"


@server.tool
def fail() -> str:
    """Fails."""
    raise ValueError("no")


@server.resource("note://one")
def note() -> str:
    """A note."""
    return "the note"


@server.prompt
def brief(topic: str) -> str:
    """Asks for a text."""
    return f"Write about {topic}."


server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
