#!/usr/bin/python3
"""Drives althing with fake programs beside it: starting, dying, stopping, refusing."""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ALTHING = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else None


def bindable(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as s:
                s.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


def free_port(count=1):
    """The first of so many; not among those that the kernel gives to whoever connects meanwhile."""
    while True:
        first = random.randrange(10000, 32000)
        if all(bindable(first + i) for i in range(count)):
            return first


class Run:
    """A running althing; its lines are collected and waited for."""

    def __init__(self, folder, config=None, env=None, program=ALTHING, **more):
        self.path = os.path.join(folder, "althing.json")
        self.socket = os.path.join(folder, "observer.sock")
        self.config = {
            "listeningHost": "127.0.0.1", "listeningPort": free_port(), "httpOnly": True, "clientPath": None,
            "mediasoup": {"numWorkers": 2, "worker": {"rtcMinPort": free_port(2)},
                          "webRtcTransport": {"listenIps": [{"ip": "127.0.0.1"}]}},
            "prometheus": {"port": free_port()}, "observer": {"path": self.socket}}
        self.config.update(config or {})
        with open(self.path, "w") as f:
            json.dump(self.config, f)
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [program, "--config", self.path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=dict(os.environ, **(env or {})), **more)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip())
                self.changed.notify_all()

    def wait(self, pattern, count=1, seconds=10):
        """The match of the count-th line that has the pattern."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [m for m in (re.search(pattern, l) for l in self.lines) if m]
                if len(found) >= count:
                    return found[count - 1]
                if not self.changed.wait(max(0, end - time.monotonic())) and time.monotonic() > end:
                    raise AssertionError("no %r among\n%s" % (pattern, "\n".join(self.lines)))

    def count(self, pattern):
        with self.changed:
            return sum(1 for l in self.lines if re.search(pattern, l))

    def end(self, seconds=15):
        status = self.process.wait(seconds)
        self.reader.join(5)
        self.process.stdout.close()
        return status


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Supervisor(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="althing-")
        self.runs = []

    def tearDown(self):
        for r in self.runs:
            if r.process.poll() is None:
                r.process.kill()
                r.end()
        shutil.rmtree(self.folder)

    def start(self, *args, **more):
        r = Run(self.folder, *args, **more)
        self.runs.append(r)
        return r

    def ready(self, **more):
        r = self.start(**more)
        r.wait("supervisor: ready")
        return r

    def stop(self, r, sig=signal.SIGTERM):
        r.process.send_signal(sig)
        self.assertEqual(r.end(), 0)

    def test_hands_everything_over(self):
        r = self.ready()
        r.wait(r"config port=%d workers=2" % r.config["listeningPort"])
        r.wait("listen role=https listening=1")
        r.wait("listen role=metrics listening=1")
        r.wait("listen role=observer listening=1")
        port = r.config["mediasoup"]["worker"]["rtcMinPort"]
        for i in range(2):
            r.wait(r"up index=%d of=2 generation=\d+ pid=\d+ candidates=2 first=127.0.0.1:%d answer=pong"
                   % (i, port + i))
        r.wait("worker udp=1 tcp=1 only_these=1", count=2)
        self.assertEqual(os.stat(r.socket).st_mode & 0o777, 0o660)
        self.stop(r)
        self.assertFalse(os.path.exists(r.socket))
        self.assertEqual(r.count("^stop$"), 1)

    def test_a_worker_is_replaced_at_once(self):
        r = self.ready()
        up = r.wait(r"up index=1 .*generation=(\d+) pid=(\d+)")
        os.kill(int(up[2]), signal.SIGKILL)
        died = time.monotonic()
        r.wait("down index=1 generation=" + up[1])
        again = r.wait(r"up index=1 .*generation=(\d+) pid=(\d+).*answer=pong", count=2)
        self.assertLess(time.monotonic() - died, 1)
        self.assertGreater(int(again[1]), int(up[1]))
        self.assertEqual(r.count("up index=0"), 1)
        self.stop(r)

    def test_a_new_server_gets_the_living_workers(self):
        r = self.ready()
        server = r.wait(r"epoch=1 pid=(\d+)")
        pids = [r.wait(r"up index=%d .*pid=(\d+)" % i)[1] for i in range(2)]
        os.kill(int(server[1]), signal.SIGKILL)
        died = time.monotonic()
        for i in range(2):
            r.wait(r"up index=%d .*pid=%s .*answer=pong" % (i, pids[i]), count=2)
        self.assertLess(time.monotonic() - died, 1)
        r.wait("epoch=2")
        r.wait("supervisor: ready", count=2)
        self.stop(r)

    def test_a_refused_worker_is_ended(self):
        r = self.ready()
        server = r.wait(r"epoch=1 pid=(\d+)")
        os.kill(int(server[1]), signal.SIGUSR1)
        r.wait("the server refuses a worker program=worker-0")
        r.wait("up index=0 .*answer=pong", count=2)
        self.stop(r)

    def test_a_server_that_breaks_the_contract_is_ended(self):
        r = self.ready()
        os.kill(int(r.wait(r"epoch=1 pid=(\d+)")[1]), signal.SIGUSR2)
        r.wait("the server breaks the contract")
        r.wait("supervisor: ready", count=2)
        self.stop(r)

    def test_a_crash_loop_backs_off(self):
        r = self.start(env={"FAKE_WORKER_STATUS": "3"})
        r.wait(r"ended program=worker-0 .*status=3", count=4)
        time.sleep(0.3)
        self.assertLessEqual(r.count("started program=worker-0"), 5)
        self.stop(r)

    def test_ends_its_children_when_killed(self):
        r = self.ready()
        pids = [int(r.wait(r"up index=%d .*pid=(\d+)" % i)[1]) for i in range(2)]
        pids.append(int(r.wait(r"epoch=1 pid=(\d+)")[1]))
        r.process.kill()
        r.end()
        end = time.monotonic() + 3
        while any(map(alive, pids)) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(any(map(alive, pids)))
        # What it left behind does not keep the next one from starting.
        self.stop(self.ready())

    def test_stops_deaf_ones_within_the_deadlines(self):
        r = self.ready(env={"FAKE_SERVER_DEAF": "1", "FAKE_WORKER_DEAF": "1"})
        r.process.terminate()
        self.assertEqual(r.end(12), 0)
        self.assertEqual(r.count("not stopped in time"), 2)

    def test_the_second_interrupt_does_not_wait(self):
        r = self.ready(env={"FAKE_SERVER_DEAF": "1", "FAKE_WORKER_DEAF": "1"})
        r.process.send_signal(signal.SIGINT)
        r.wait("^stop$")
        r.process.send_signal(signal.SIGINT)
        self.assertEqual(r.end(2), 0)

    def test_a_broken_configuration_does_not_replace_the_old(self):
        r = self.ready()
        with open(r.path, "w") as f:
            f.write('{"prometheus": {"port": "x"}}')
        r.process.send_signal(signal.SIGHUP)
        r.wait("the old one stays: .*prometheus.port: expected an integer")
        check = subprocess.run([ALTHING, "--check-config", "--config", r.path], capture_output=True, text=True)
        self.assertEqual(check.returncode, 78)
        self.assertEqual(check.stderr, 'althing: %s: prometheus.port: expected an integer from 1 to 65535, '
                                       'got "x"\n' % r.path)
        with open(r.path, "w") as f:
            f.write('{"httpOnly": true, "clientPath": null}')
        r.process.send_signal(signal.SIGHUP)
        r.wait("configuration changes at the next start key=")
        r.wait("the configuration was read again")
        self.stop(r)

    def test_a_taken_port_is_told(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            r = self.start(config={"listeningPort": s.getsockname()[1]})
            self.assertEqual(r.end(), 71)
            r.wait(r"listeningPort: cannot bind 127.0.0.1 port \d+: Address already in use")

    def test_a_served_observer_socket_is_not_taken(self):
        first = self.ready()
        second = self.start()
        self.assertEqual(second.end(), 71)
        second.wait("observer.path: cannot bind .*: Address already in use")
        self.assertTrue(os.path.exists(first.socket))
        self.stop(first)

    def test_a_server_that_refuses_the_configuration_ends_all(self):
        r = self.start(env={"FAKE_SERVER_STATUS": "78"})
        self.assertEqual(r.end(), 78)
        r = self.start(env={"FAKE_SERVER_STATUS": "78", "FAKE_SERVER_SLOW": "1"})
        self.assertEqual(r.end(), 78)

    def test_tells_the_service_manager(self):
        path = os.path.join(self.folder, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(5)
            r = self.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"})
            said = {s.recv(64) for _ in range(4)}
            self.assertEqual(said, {b"READY=1", b"WATCHDOG=1"})
            r.process.terminate()
            while b"STOPPING=1" not in said:
                said.add(s.recv(64))
        self.assertEqual(r.end(), 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_gives_up_root(self):
        # The build folder may be one that only root can enter.
        os.chmod(self.folder, 0o777)
        for name in ("althing", "althing-server", "althing-worker"):
            shutil.copy(os.path.join(os.path.dirname(ALTHING), name), self.folder)
        r = self.ready(config={"user": "nobody"}, program=os.path.join(self.folder, "althing"))
        pid = int(r.wait(r"epoch=1 pid=(\d+)")[1])
        for p in (r.process.pid, pid):
            with open("/proc/%d/status" % p) as f:
                status = f.read()
            self.assertNotIn("0", re.search(r"Uid:(.*)", status)[1].split())
            self.assertEqual(int(re.search(r"CapPrm:\s*(\w+)", status)[1], 16), 0)
        self.stop(r)


if __name__ == "__main__":
    unittest.main(verbosity=1)
