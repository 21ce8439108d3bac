"""As much of RFC 6455 as it takes to listen to ComfyUI: text messages from the server, pings answered."""

import base64
import hashlib
import json
import os
import socket
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA


class Listener:
    """Text messages of a WebSocket as JSON. `closed` turns true when the server is gone."""

    def __init__(self, host: str, port: int, path: str, timeout: float = 10):
        self.closed = False
        self._buffer, self._parts = bytearray(), None
        self._socket = socket.create_connection((host, port), timeout=timeout)
        key = base64.b64encode(os.urandom(16))
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        if (
            b" 101 " not in head.split(b"\r\n")[0] + b" "
            or base64.b64encode(hashlib.sha1(key + GUID).digest()) not in head
        ):
            self.close()
            raise ConnectionError(f"no WebSocket at {host}:{port}{path}")

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data

    def receive(self, timeout: float):
        """The next JSON message; None when none came within `timeout` seconds, or the server is gone."""
        self._socket.settimeout(timeout)
        try:
            while not self.closed:
                frame = self._frame()
                if frame is None:
                    self._read()
                    continue
                message = self._message(*frame)
                if message is not None:
                    return json.loads(message)
        except TimeoutError:
            return None
        except OSError:
            self.close()
        return None

    def _frame(self):
        """(final, opcode, payload) from the buffer, or None while it is not whole."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + size:
            return None
        frame = bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return frame

    def _message(self, final: bool, opcode: int, payload: bytes):
        """A text message that is whole now, or None. Binary ones are previews and of no use here."""
        if opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            self.close()
        elif opcode == CONTINUATION and self._parts is not None:
            self._parts.append(payload)
        elif opcode != PONG:
            self._parts, self._kind = [payload], opcode
        if opcode in (PING, PONG, CLOSE) or not final or self._parts is None:
            return None
        parts, self._parts = self._parts, None
        return b"".join(parts) if self._kind == TEXT else None

    def _send(self, opcode: int, payload: bytes) -> None:
        mask = os.urandom(4)  # a client must mask; control frames are at most 125 bytes long
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._socket.sendall(struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) + mask + masked)

    def close(self) -> None:
        self.closed = True
        self._socket.close()
