#!/usr/bin/python3
"""test_console.py ALTHING ALTHINGCTL: the console at a terminal, against the real programs."""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

ALTHING, CTL = sys.argv[1:3]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Terminal:
    """A command at a pseudo-terminal; `read_until` fails when what is waited for does not come."""

    def __init__(self, folder, *args, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # libedit keeps the names of the functions that it was given for ever.
            leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
            os.environ.update(LC_ALL="C.UTF-8", TERM="xterm", HOME=folder, ASAN_OPTIONS=leaks, **env)
            os.execv(CTL, [CTL, "--socket", folder + "/observer.sock", *args])
        self.text = ""

    def read_until(self, pattern, seconds=10):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            left = end - time.monotonic()
            assert left > 0, "no %r in %r" % (pattern, self.text)
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    assert re.search(pattern, self.text), "no %r in %r" % (pattern, self.text)
        text, self.text = self.text, ""
        return text

    def type(self, text):
        os.write(self.fd, text.encode())

    def status(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


def prompt(folder):
    t = Terminal(folder)
    t.read_until("althing> ")
    t.type("stats\n")
    t.read_until(r"rooms:0\r\npeers:0\r\n.*althing> ")
    t.type("clo\t")
    t.read_until("se-room ")  # what was missing is put in
    t.type("nowhere\n")
    t.read_until(r"there is no such room\r\n.*althing> ")
    t.type("nonsense\n")
    t.read_until(r"unknown command 'nonsense'\r\n.*\r\n.*althing> ")
    t.type("watch server\n")
    time.sleep(1)  # nothing says when it follows
    subprocess.run([CTL, "--socket", folder + "/observer.sock", "drain", "600"], check=True, stdout=subprocess.DEVNULL)
    t.read_until(r"put.* server:.*draining=true")
    t.type("\x03")
    t.read_until("althing> ")
    t.type("drain off\n")
    t.read_until(r"taken again\r\n.*althing> ")
    t.type("quit\n")
    assert t.status() == 0
    assert os.stat(folder + "/.althingctl_history").st_mode & 0o077 == 0


def top(folder):
    t = Terminal(folder, "top", "--every", "0.5")
    t.read_until(r"\x1b\[\?1049h.*0 rooms, 0 peers")
    t.type("b")
    t.read_until("by r|~")  # the line may be cut
    t.type("q")
    t.read_until(r"\x1b\[\?1049l")
    assert t.status() == 0


def colors(folder):
    t = Terminal(folder, "list", "workers", NO_COLOR="1")
    assert "\x1b" not in t.read_until("yes")
    assert t.status() == 0


def piped(folder):
    base = [CTL, "--socket", folder + "/observer.sock"]
    run = subprocess.run(base, input=b"stats\nlist\n", capture_output=True, check=True)
    assert run.stdout.startswith(b"rooms:0\npeers:0\nROOM") and b"\x1b" not in run.stdout, run.stdout
    assert subprocess.run(base + ["dumpPeers"], capture_output=True, check=True).stdout == b""
    assert len(json.loads(subprocess.run(base + ["usage", "--json"], capture_output=True, check=True).stdout)) == 2
    for args, status in [(["kick", "a"], 2), (["dp"], 1), (["logLevel", "loud"], 2), (["bad"], 0),
                         (["bad", "nowhere"], 1), (["list", "peers", "--room", "nowhere"], 1), (["watch", "nothing"], 2),
                         (["list", "nothing"], 2), (["--nothing"], 2)]:
        assert subprocess.run(base + args, capture_output=True, check=False).returncode == status, args
    shown = subprocess.run([CTL, "--help"], capture_output=True, check=True).stdout.decode()
    assert max(len(line) for line in shown.splitlines()) <= 80, shown
    assert subprocess.run([CTL, "--socket", "/nonexistent", "stats"], capture_output=True, check=False).returncode == 3


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                        "/CN=localhost", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem"], check=True,
                       stderr=subprocess.DEVNULL)
        os.mkdir(folder + "/app")
        with open(folder + "/config.json", "w", encoding="utf-8") as f:
            json.dump({"listeningHost": "127.0.0.1", "listeningPort": free_port(), "listeningRedirectPort": free_port(),
                       "clientPath": folder + "/app", "tls": {"cert": folder + "/cert.pem", "key": folder + "/key.pem"},
                       "mediasoup": {"numWorkers": 1, "worker": {"rtcMinPort": free_port()},
                                     "webRtcTransport": {"listenIps": [{"ip": "127.0.0.1"}]}},
                       "observer": {"path": folder + "/observer.sock"}}, f)
        server = subprocess.Popen([ALTHING, "--config", folder + "/config.json"])
        try:
            base = [CTL, "--socket", folder + "/observer.sock", "--json", "list", "workers"]
            for _ in range(100):
                run = subprocess.run(base, capture_output=True, check=False)
                if run.returncode == 0 and all(w["up"] for w in json.loads(run.stdout) or [{"up": False}]):
                    break
                time.sleep(0.1)
            for test in (prompt, top, colors, piped):
                test(folder)
                print("ok", test.__name__)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


main()
