from typing import Any

import aiohttp


async def work(url: str) -> dict[str, Any]:
    """Fetch one page. A project shares one session among all tasks: that saves connections."""
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.request("GET", url, timeout=limit, raise_for_status=True) as response:
        return {"status": response.status, "bytes": len(await response.read())}
