"""ComfyUI's HTTP interface and its messages. aiohttp is there wherever ComfyUI is."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator

import aiohttp

from .console import Refused


class Client:
    """Of a server at an address, for any thread. Every call raises ConnectionError where nobody answers, and
    TimeoutError where nobody does in time. Proxies that the environment names are of no use for our own machine, and
    are not asked."""

    def __init__(self, address: str):
        self.address = address
        self._loop = asyncio.new_event_loop()
        # in a thread of its own, so that any thread may ask: one that cancels, while another waits for messages
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def request(self, path: str, data: dict | None = None, timeout: float = 30):
        """GET a path, or POST data to it; the answer's JSON, None for an empty one. Raises Refused for an error."""
        return self._wait(self._request(path, data, timeout))

    @contextlib.contextmanager
    def listening(self, path: str) -> Iterator["Messages"]:
        """The messages that come by a websocket, from now on."""
        messages = Messages(self._wait, self.address + path)
        try:
            yield messages
        finally:
            messages.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _wait(self, task):
        try:
            return asyncio.run_coroutine_threadsafe(task, self._loop).result()
        except asyncio.TimeoutError as error:  # before Python 3.11 another one than TimeoutError
            raise TimeoutError("no answer in time") from error
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error) or type(error).__name__) from error

    async def _request(self, path: str, data: dict | None, timeout: float):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session:
            how = {"method": "GET"} if data is None else {"method": "POST", "json": data}
            async with session.request(url=self.address + path, **how) as answer:
                text = await answer.text()
                told = _json(text)
                if answer.status >= 400:
                    raise Refused(answer.status, told)
                return told


class Messages:
    """JSON messages of a websocket. `closed` turns true when the server is gone."""

    def __init__(self, wait, address: str):
        self._wait, self.closed = wait, False
        self._session, self._socket = wait(self._connect(address))

    def receive(self, timeout: float) -> dict | None:
        """The next message; None where none came within `timeout` seconds, or the server is gone."""
        try:
            return self._wait(self._receive(timeout))
        except TimeoutError:
            return None

    def close(self) -> None:
        self.closed = True
        with contextlib.suppress(OSError, RuntimeError):  # gone already, or in the middle of Ctrl-C
            self._wait(self._close())

    async def _connect(self, address: str):
        session = aiohttp.ClientSession()
        try:
            return session, await session.ws_connect(address, max_msg_size=0)
        except BaseException:
            await session.close()
            raise

    async def _receive(self, timeout: float) -> dict | None:
        message = await self._socket.receive(timeout=timeout)
        if message.type == aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        self.closed = message.type != aiohttp.WSMsgType.BINARY  # pictures of a preview are of no use here
        return None

    async def _close(self) -> None:
        await self._socket.close()
        await self._session.close()


def _json(text: str):
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text
