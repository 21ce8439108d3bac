"""The server's messages: frames of every length, pings, silence."""

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
import time

import pytest

from launch.websocket import GUID, Listener


class Peer(threading.Thread):
    """The server's side of one WebSocket: shakes hands, sends bytes, keeps what comes back."""

    def __init__(self, pieces):
        super().__init__(daemon=True)
        self.pieces, self.got, self.listening = pieces, b"", socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listening.accept()
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(4096)).group(1)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        for piece in self.pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        connection.settimeout(30)
        with contextlib.suppress(TimeoutError):
            self.got = connection.recv(4096)
        connection.close()


def frame(opcode, payload, final=True):
    size = (
        bytes([len(payload)])
        if len(payload) < 126
        else b"\x7e" + len(payload).to_bytes(2, "big")
        if len(payload) < 65536
        else b"\x7f" + len(payload).to_bytes(8, "big")
    )
    return bytes([(0x80 if final else 0) | opcode]) + size + payload


def test_messages_of_every_length_in_pieces_between_pings_and_previews():
    texts = [json.dumps({"n": n, "x": "y" * n}).encode() for n in (1, 300, 70_000)]
    stream = frame(1, texts[0]) + frame(2, b"\x00preview") + frame(9, b"still there?") + frame(1, texts[1][:100], False)
    stream += frame(9, b"") + frame(0, texts[1][100:]) + frame(1, texts[2])
    peer = Peer([stream[i : i + 999] for i in range(0, len(stream), 999)])
    listener = Listener("127.0.0.1", peer.port, "/ws")
    assert [listener.receive(30)["n"] for _ in texts] == [1, 300, 70_000]
    peer.join(30)
    assert peer.got[0] == 0x8A and peer.got[1] == 0x80 | len(b"still there?")
    mask, body = peer.got[2:6], peer.got[6 : 6 + 12]
    assert bytes(b ^ mask[i % 4] for i, b in enumerate(body)) == b"still there?"
    assert listener.receive(30) is None and listener.closed


def test_silence_is_not_the_end():
    peer = Peer([frame(1, b'{"a"')[:3]])
    listener = Listener("127.0.0.1", peer.port, "/ws")
    assert listener.receive(0.05) is None and not listener.closed
    listener.close()


def test_something_else_on_the_port_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(
            target=lambda: listening.accept()[0].sendall(b"HTTP/1.1 404 Not Found\r\n\r\n"), daemon=True
        ).start()
        with pytest.raises(ConnectionError, match="no WebSocket"):
            Listener("127.0.0.1", listening.getsockname()[1], "/ws")
