"""A tone through the worker and back, by GStreamer's webrtcbin: reads an offer, writes the answer, then how many buffers it heard."""
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
pipeline = Gst.parse_launch(
    "webrtcbin name=w bundle-policy=max-bundle audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! "
    "audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,encoding-params=(string)2 ! w."
)
webrtc = pipeline.get_by_name("w")
loop = GLib.MainLoop()
loud = 0


def on_buffer(pad, info):
    global loud
    data = info.get_buffer().extract_dup(0, 200)
    loud += any(b not in (0, 255) for b in data)
    if loud == 100:
        print("heard", loud, flush=True)
        GLib.idle_add(loop.quit)
    return Gst.PadProbeReturn.OK


def on_pad(_, pad):
    if pad.direction != Gst.PadDirection.SRC:
        return
    sink = Gst.parse_bin_from_description("rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE ! fakesink name=f", True)
    pipeline.add(sink)
    sink.get_by_name("f").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, on_buffer)
    sink.sync_state_with_parent()
    pad.link(sink.get_static_pad("sink"))


def on_answer(promise, _):
    reply = promise.get_reply()
    answer = reply.get_value("answer")
    text = answer.sdp.as_text()
    webrtc.emit("set-local-description", answer, Gst.Promise.new())
    print(text + "\n.", flush=True)


def on_offer_set(promise, _):
    webrtc.emit("create-answer", None, Gst.Promise.new_with_change_func(on_answer, None))


def add_candidates(text):
    for line in text.splitlines():
        if line.startswith("a=candidate:"):
            webrtc.emit("add-ice-candidate", 0, line[2:])


def main():
    text = sys.stdin.read()
    _, message = GstSdp.SDPMessage.new()
    GstSdp.sdp_message_parse_buffer(text.encode(), message)
    offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message)
    webrtc.connect("pad-added", on_pad)
    ice = webrtc.get_property("ice-agent")  # not ours to let go of, though PyGObject would
    ice.emit("add-local-ip-address", "127.0.0.1")
    pipeline.set_state(Gst.State.PLAYING)
    webrtc.emit("set-remote-description", offer, Gst.Promise.new_with_change_func(on_offer_set, None))
    add_candidates(text)
    GLib.timeout_add_seconds(20, loop.quit)
    loop.run()
    os._exit(0)


main()
