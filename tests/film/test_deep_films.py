"""Films of more than 8 bits as masters have them: what is stored comes out again, whatever the codec of the result."""

import av
import numpy as np
import pytest
from films import picture

from clear_runtime.film.source import Source
from clear_runtime.film.store import Store

LEAST = 45
"""dB of every plane. A conversion to RGB says less: of v210, 46 dB where the same samples without their tags say 51."""


def planes(frame):
    """The planes of a frame in 0..1."""
    for plane, part in zip(frame.planes, frame.format.components):
        wide = np.frombuffer(plane, np.uint16).reshape(-1, plane.line_size // 2)
        yield wide[:, : plane.width] / 2**part.bits


@pytest.mark.parametrize("name, codec, form, options", [
    ("a.mov", "v210", "yuv422p10le", {}),
    ("a.mkv", "ffv1", "yuv420p10le", {}),
    ("a.mkv", "ffv1", "yuv420p12le", {}),
    ("a.mp4", "libx265", "yuv420p12le", {"crf": "4", "x265-params": "log-level=none"}),
])  # fmt: skip
def test_samples_of_a_master_stay_as_they_are(tmp_path, name, codec, form, options):
    source, count = tmp_path / name, 4
    with av.open(str(source), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 144, 96, form
        for t in range(count):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(picture(t, (144, 96)), "rgb24").reformat(format=form))
            )
        container.mux(stream.encode(None))
    film, store = Source(source), Store(container=source.suffix)
    made = tmp_path / f"b{store.ending(film)}"
    with store.segment(made, film) as writer:
        for shown in film.frames():
            writer.write(shown, None)
    with av.open(str(source)) as one, av.open(str(made)) as other:
        pairs = list(zip(one.decode(video=0), other.decode(video=0)))
    assert len(pairs) == count
    for index in range(3):
        error = np.mean([np.square(np.subtract(*(list(planes(of))[index] for of in pair))).mean() for pair in pairs])
        assert -10 * np.log10(error + 1e-12) > LEAST, f"plane {index}"
