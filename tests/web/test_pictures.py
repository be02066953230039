"""QR codes as pictures: one text, one plain SVG."""

from inkan.web.pictures import qr_picture


def test_the_picture_is_an_svg_of_one_frame() -> None:
    first, second = (
        qr_picture("http://wallet.localhost/q#1.a.1.b"),
        qr_picture("http://wallet.localhost/q#1.a.2.b"),
    )
    assert first.startswith(b"<svg")
    assert b"<script" not in first
    assert first != second
