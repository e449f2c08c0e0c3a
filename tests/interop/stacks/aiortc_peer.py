"""A tone through the worker and back, by aiortc: reads an offer, writes the answer, then how many frames it heard."""
import asyncio
import fractions
import math
import struct
import sys

import av
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

RATE = 48000
SAMPLES = 960


class Tone(AudioStreamTrack):
    def __init__(self):
        super().__init__()
        self.at = 0

    async def recv(self):
        await asyncio.sleep(SAMPLES / RATE)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
        data = b"".join(
            struct.pack("<hh", v, v)
            for v in (int(8000 * math.sin(2 * math.pi * 440 * (self.at + i) / RATE)) for i in range(SAMPLES))
        )
        frame.planes[0].update(data)
        frame.pts = self.at
        frame.sample_rate = RATE
        frame.time_base = fractions.Fraction(1, RATE)
        self.at += SAMPLES
        return frame


def is_loud(frame):
    samples = bytes(frame.planes[0])[:2 * SAMPLES]
    return max(abs(s[0]) for s in struct.iter_unpack("<h", samples)) > 1000


async def main():
    pc = RTCPeerConnection()
    heard = asyncio.get_running_loop().create_future()

    async def listen(track):
        loud = 0
        while loud < 100:
            loud += is_loud(await track.recv())
        heard.set_result(loud)

    @pc.on("track")
    def on_track(track):
        asyncio.ensure_future(listen(track))

    offer = sys.stdin.read()
    await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    pc.addTrack(Tone())
    await pc.setLocalDescription(await pc.createAnswer())
    sys.stdout.write(pc.localDescription.sdp + "\n.\n")
    sys.stdout.flush()
    print("heard", await asyncio.wait_for(heard, 20), flush=True)
    await pc.close()


asyncio.run(main())
