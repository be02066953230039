"""Pictures that pages show: QR codes as SVG."""

import io

import segno


def qr_picture(text: str) -> bytes:
    """A QR code (ISO/IEC 18004, error correction M) of a text, as SVG without size."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", omitsize=True, border=2, xmldecl=False)
    return out.getvalue()
