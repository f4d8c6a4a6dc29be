"""Synthetic camera and microphone, and the counting of what arrives from the other side."""

import asyncio
import math
from array import array
from fractions import Fraction

import aioice.ice
from aiortc import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

FRAMES, SECONDS = 50, 1.0
RATE, SLICE = 48_000, 960  # samples per second, and in each 20 ms
WIDTH, HEIGHT = 320, 240
_found_addresses = aioice.ice.get_host_addresses


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return _found_addresses(use_ipv4, use_ipv6) or ["127.0.0.1"]


# aioice leaves the loopback out, and would have no candidate at all on a machine without a network.
aioice.ice.get_host_addresses = _host_addresses


class Camera(VideoStreamTrack):
    """Thirty frames a second of one colour, with a bar that moves."""

    def __init__(self, colour: int) -> None:
        super().__init__()
        self.colour, self.count = colour, 0

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        pts, base = await self.next_timestamp()
        frame = VideoFrame(width=WIDTH, height=HEIGHT, format="yuv420p")
        bar = bytes(200 if (x + self.count * 4) % WIDTH < 40 else 60 for x in range(frame.planes[0].line_size))
        frame.planes[0].update(bar * HEIGHT)
        for plane in frame.planes[1:]:
            plane.update(bytes([self.colour]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, base
        self.count += 1
        return frame


class Microphone(AudioStreamTrack):
    """A sine tone."""

    def __init__(self, pitch: int) -> None:
        super().__init__()
        self.pitch, self.count = pitch, 0

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        start = self.count * SLICE
        await self._pace()
        step = 2 * math.pi * self.pitch / RATE
        wave = array("h", (int(8000 * math.sin(step * (start + n))) for n in range(SLICE)))
        frame = AudioFrame(format="s16", layout="mono", samples=SLICE)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        self.count += 1
        return frame

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        if not self.count:
            self.began = loop.time()
        await asyncio.sleep(max(0.0, self.began + self.count * SLICE / RATE - loop.time()))


class Seen:
    """What has been decoded of the other side's camera and microphone."""

    def __init__(self, colour: int) -> None:
        self.colour = colour
        self.frames, self.seconds = 0, 0.0
        self.done = asyncio.Event()

    async def watch(self, track: MediaStreamTrack) -> None:
        """Decode until the track ends; count frames of the right colour and slices that are not silent."""
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame):
                    self.frames += _coloured(frame, self.colour)
                elif isinstance(frame, AudioFrame):
                    self.seconds += frame.samples / frame.sample_rate if _sounds(frame) else 0.0
                if self.frames >= FRAMES and self.seconds >= SECONDS:
                    self.done.set()
        except MediaStreamError:
            return


def _coloured(frame: VideoFrame, colour: int) -> bool:
    plane = frame.reformat(format="yuv420p").planes[1]
    start = plane.line_size * (plane.height // 2)  # lines are padded: what lies beyond the width is no picture
    middle = bytes(plane)[start : start + plane.width]
    return abs(sum(middle) / len(middle) - colour) < 20


def _sounds(frame: AudioFrame) -> bool:
    samples = array("h", bytes(frame.planes[0]))
    return max(samples, default=0) > 500
