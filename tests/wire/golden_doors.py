"""The golden vectors of doors: rotating frames, addresses of the wallet, and the levels that a door reaches."""

from inkan.crypto import base64url
from inkan.kernel.sensitive import Secret
from inkan.wire import link, qr, wallet_paths
from wire import samples
from wire.negatives import Row, negative

WALLET = "https://wallet.example.gov.tw"


def qr_vectors() -> Row:
    secret = samples.fixed("session secret")
    key = qr.qr_key(Secret(secret))
    handle = samples.b64("handle", 16)
    seconds = (0, 1, 100, 258, 86_400, 2**32 - 1)
    frames = {t: qr.frame(WALLET, handle=handle, t=t, key=key) for t in seconds}
    good = frames[100]
    forged = {
        "another second": good.replace(".100.", ".101."),
        "another handle": good.replace(handle, samples.b64("other", 16)),
        "another MAC": good[:-22] + base64url.encode(bytes(16)),
    }
    wrong = {
        "no frame": "",
        "the address alone": f"{WALLET}/q",
        "version 2": good.replace("#1.", "#2."),
        "a leading zero": good.replace(".100.", ".0100."),
        "a sign": good.replace(".100.", ".+100."),
        "2^32 seconds": good.replace(".100.", ".4294967296."),
        "a short MAC": good[:-1],
        "unused bits in the MAC": good[:-1] + "B",
        "padding": good + "=",
        "a line break behind it": good + "\n",
        "a query instead of a fragment": good.replace("#", "?"),
        "another host": good.replace("gov.tw", "gov.tw.evil.example"),
        "another path": good.replace("/q#", "/p#"),
        "the path of an enrolment": good.replace("/q#", "/e#"),
    }
    return {
        "about": "secret -> key (HKDF) -> frame; a frame holds while -1 <= now - t <= 3 seconds",
        "wallet_origin": WALLET,
        "session_secret": base64url.encode(secret),
        "key": base64url.encode(key.reveal()),
        "handle": handle,
        "valid": [{"t": t, "frame": frame} for t, frame in frames.items()],
        "enrolment": qr.frame(
            WALLET, handle=handle, t=100, key=key, path=wallet_paths.ENROLMENT_PATH
        ),
        "ages": [
            {"t": 100, "now": 100 + age, "error": None if -1 <= age <= 3 else "qr_frame_stale"}
            for age in (-2, -1, 0, 3, 4, 180)
        ],
        "forged": [{"name": name, "frame": frame} for name, frame in forged.items()],
        "invalid": [negative(name, text, "qr_frame_malformed", "") for name, text in wrong.items()],
    }


def link_vectors() -> Row:
    handles = {
        "as the platform draws them": samples.b64("link handle", 32),
        "the shortest": "a" * 16,
        "the longest": "Z" * 64,
        "every letter": "AZaz09-_AZaz09-_",
    }
    good = link.address(WALLET, handle=handles["as the platform draws them"])
    wrong = {
        "no address": "",
        "the wallet alone": WALLET,
        "the path alone": f"{WALLET}/l",
        "no fragment": f"{WALLET}/l#",
        "a version alone": f"{WALLET}/l#1.",
        "version 2": good.replace("#1.", "#2."),
        "a handle that is too short": f"{WALLET}/l#1.{'a' * 15}",
        "a handle that is too long": f"{WALLET}/l#1.{'a' * 65}",
        "a letter of ordinary base64": f"{WALLET}/l#1.{'a' * 15}+",
        "a full-width letter": f"{WALLET}/l#1.{'a' * 15}\uff41",
        "padding": good + "=",
        "a further part": good + ".1",
        "a line break behind it": good + "\n",
        "a space before it": " " + good,
        "a query instead of a fragment": good.replace("#", "?"),
        "a query before the fragment": good.replace("/l#", "/l?x=1#"),
        "another spelling of the path": good.replace("/l#", "/L#"),
        "a slash behind the path": good.replace("/l#", "/l/#"),
        "an encoded path": good.replace("/l#", "/%6c#"),
        "a frame's path": good.replace("/l#", "/q#"),
        "the port that https has anyway": good.replace("gov.tw", "gov.tw:443"),
        "a user before the host": good.replace("https://", "https://inkan@"),
        "capital letters in the host": good.replace("wallet.", "Wallet."),
        "a scheme of an app": good.replace("https://", "inkan://"),
        "another host": good.replace("gov.tw", "gov.tw.evil.example"),
    }
    return {
        "about": "handle -> address of the wallet; it is worth one opening",
        "wallet_origin": WALLET,
        "valid": [
            {"name": name, "handle": handle, "address": link.address(WALLET, handle=handle)}
            for name, handle in handles.items()
        ],
        "invalid": [negative(name, text, "link_malformed", "") for name, text in wrong.items()],
    }


def binding_vectors() -> Row:
    code, paired = "code_entered", "paired_browser"
    redeemed, bound = "redeemed", "browser_bound"
    table = {
        "qr": [([], "none"), ([bound], "none")],
        "push": [([], "none"), ([paired], "none"), ([code], "matched"), ([code, paired], "paired")],
        "web_link": [([], "none"), ([redeemed], "returned")],
        "app_link": [([], "none"), ([redeemed], "returned")],
        "redirect/qr": [([], "none"), ([bound], "none")],
        "redirect/push": [([bound], "none"), ([bound, code], "matched")],
        "redirect/open": [([], "none"), ([redeemed], "returned")],
    }
    strong = ["same_device_webauthn", "hybrid", "card_in_reader"]
    return {
        "about": "door and evidence -> binding level",
        "valid": [
            {"door": door, "evidence": found, "level": level}
            for door, rows in table.items()
            for found, level in [*rows, *(([each], "strong") for each in strong)]
        ],
    }
