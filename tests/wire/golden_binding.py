"""The golden vectors of binding levels: one row for each door and evidence."""

from wire.negatives import Row


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
