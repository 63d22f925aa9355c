"""A reverse proxy that serves a server under a path prefix."""

import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PREFIX = "/studio/athena"
_DROPPED = ("transfer-encoding", "connection", "content-length", "host")


@contextlib.contextmanager
def proxied(url: str) -> Iterator[str]:
    """Run the proxy; yields its URL."""
    inside = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            size = int(self.headers.get("Content-Length") or 0)
            line = http.client.HTTPConnection(inside, timeout=60)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _DROPPED}
            line.request(
                self.command, self.path.removeprefix(PREFIX), self.rfile.read(size) or None, kept
            )
            answer = line.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _DROPPED:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):
                while piece := answer.read1(65536):
                    self.wfile.write(piece)
                    self.wfile.flush()
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
    server.shutdown()
