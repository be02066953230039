"""What a browser's camera sees: a file of raw video (YUV4MPEG2) that Chromium plays in the place of a camera.

    film(tmp_path / "camera.y4m", [stale, *(frame_at(s) for s in range(20))])
    window = await chromium.open(Look(), profile="p", flags=camera_flags(tmp_path / "camera.y4m"))

The file is opened anew each time that the camera is switched on, and plays from its beginning.
"""

from collections.abc import Sequence
from pathlib import Path

import segno

WIDTH, HEIGHT = 640, 480
_SCALE, _DARK, _LIGHT = 7, 30, 225


def camera_flags(path: Path) -> tuple[str, ...]:
    """Chromium plays this file, and gives the camera without asking."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    )


def film(path: Path, texts: Sequence[str | None], *, per_second: int = 2) -> None:
    """Write a video that shows each text as a QR code for one second; None is an empty wall."""
    chroma = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{per_second}:1 Ip A1:1 C420jpeg\n".encode())
        for text in texts:
            picture = b"FRAME\n" + _luma(text) + chroma
            file.write(picture * per_second)


def _luma(text: str | None) -> bytes:
    """The brightness of each pixel: the code in the middle of a light wall."""
    wall = bytes([_LIGHT]) * WIDTH
    if text is None:
        return wall * HEIGHT
    matrix = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    scale = min(_SCALE, HEIGHT // len(matrix))
    side = len(matrix) * scale
    left, top = (WIDTH - side) // 2, (HEIGHT - side) // 2
    lines = [
        bytes([_LIGHT]) * left
        + b"".join(bytes([_DARK if dark else _LIGHT]) * scale for dark in row)
        + bytes([_LIGHT]) * (WIDTH - left - side)
        for row in matrix
    ]
    return wall * top + b"".join(line * scale for line in lines) + wall * (HEIGHT - top - side)
