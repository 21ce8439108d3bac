"""What ComfyUI says, and what happens when it says nothing."""

import asyncio
import json
import threading

import pytest

from launch.console import Refused

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed; it comes with ComfyUI")
web = pytest.importorskip("aiohttp.web")
Client = pytest.importorskip("launch.client").Client


async def answer(request):
    data = await request.json() if request.can_read_body else None
    return web.json_response({"path": request.path, "data": data})


async def empty(request):
    return web.Response()


async def wrong(request):
    return web.json_response({"error": "no such graph"}, status=400)


async def talk(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for message in ({"type": "status"}, {"type": "progress", "data": {"value": 1, "max": 2, "name": "x" * 70_000}}):
        await socket.send_str(json.dumps(message))
        await socket.send_bytes(b"a picture")
    async for message in socket:
        assert message.type == aiohttp.WSMsgType.TEXT
    return socket


async def close(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.close()
    return socket


@pytest.fixture
def address():
    loop, started, where = asyncio.new_event_loop(), threading.Event(), []
    runners = []

    async def serve():
        app = web.Application()
        app.router.add_get("/empty", empty)
        app.router.add_get("/wrong", wrong)
        app.router.add_get("/ws", talk)
        app.router.add_get("/bye", close)
        app.router.add_route("*", "/{path}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        where.append(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}")
        started.set()

    def run():
        loop.create_task(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    yield where[0]
    asyncio.run_coroutine_threadsafe(runners[0].cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_questions_and_answers(address):
    client = Client(address)
    assert client.request("/a") == {"path": "/a", "data": None}
    assert client.request("/b", {"prompt": 1}) == {"path": "/b", "data": {"prompt": 1}}
    assert client.request("/empty") is None
    with pytest.raises(Refused) as told:
        client.request("/wrong")
    assert told.value.status == 400 and told.value.answer == {"error": "no such graph"}


def test_messages_of_every_length_between_pictures(address):
    client = Client(address)
    with client.listening("/ws?clientId=1") as messages:
        heard = [messages.receive(5.0) for _ in range(4)]
        assert [one["type"] for one in heard if one] == ["status", "progress"]
        assert messages.receive(0.01) is None and not messages.closed
        assert client.request("/a")["path"] == "/a", "questions go on meanwhile"


def test_a_server_that_goes_is_noticed(address):
    with Client(address).listening("/bye") as messages:
        while messages.receive(5.0) is not None:
            pass
        assert messages.closed
    with pytest.raises(ConnectionError):
        Client("http://127.0.0.1:1").request("/a")
