"""aiohttp: pages of a server that serves eight at a time."""

import asyncio
import os

import aiohttp

TWIN = "fetches"  # the same for who cannot await
SERVER = os.environ.get("BENCH_SERVER", "")
SESSIONS = {}


def session():
    loop = asyncio.get_running_loop()
    if loop not in SESSIONS:
        SESSIONS[loop] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    return SESSIONS[loop]


async def work(path):
    async with session().get(SERVER + path) as answer:
        return len(await answer.read())


def items(folder):
    return [f"/{n}" for n in range(400)]
