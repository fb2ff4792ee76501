"""A Starlette route that answers with a small JSON object; says on stdout which port it took."""

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def small(_: Request) -> JSONResponse:
    return JSONResponse({"id": "asst_x", "object": "assistant", "name": None, "tools": [], "metadata": {}})


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(Starlette(routes=[Route("/small", small)]), log_config=None, access_log=False)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
