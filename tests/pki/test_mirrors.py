"""Full lists and deltas for those who mirror everything; openssl's opinion of them and of shards."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.pki import RevocationReason, store
from pki.hands import (
    authority,
    fetch,
    issue,
    on_sqlite,
    reinstate,
    revoke,
    rows,
    suspend,
)
from pki.lists import crl_at, number, path_of, told, x509_of
from support.tools import require

FULL, DELTA = "/crl/card/full.crl", "/crl/card/delta.crl"
MINUTE = timedelta(minutes=1)


# --- full list and delta --------------------------------------------------------------------------------------


async def test_full_list_and_delta_tell_everything(nation):
    made = [await issue(nation, n) for n in range(4)]
    serials = [int(each.serial, 16) for each in made]
    await revoke(nation, made[0])
    await suspend(nation, made[1])
    nation.clock.advance(2 * MINUTE)  # a delta repeats what may have been committed late
    base = await crl_at(nation, FULL)
    assert told(base) == {serials[0]: "keyCompromise", serials[1]: "certificateHold"}
    names = [e.value for e in base.extensions]
    (point,) = next(e for e in names if isinstance(e, x509.FreshestCRL))
    assert point.full_name[0].value.endswith(DELTA)
    assert not any(isinstance(e, x509.IssuingDistributionPoint) for e in names)
    nation.clock.advance(2 * MINUTE)
    await reinstate(nation, made[1])
    await revoke(nation, made[2], RevocationReason.SUPERSEDED)
    delta = await crl_at(nation, DELTA)
    indicator = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert indicator.critical
    assert indicator.value.crl_number == number(base) < number(delta)
    assert told(delta) == {serials[1]: "removeFromCRL", serials[2]: "superseded"}
    assert await crl_at(nation, FULL) == base
    nation.clock.advance(timedelta(days=7))
    await nation.platform.pki.refresh_lists()
    second = await crl_at(nation, FULL)
    assert told(second) == {serials[0]: "keyCompromise", serials[2]: "superseded"}
    assert number(delta) < number(second)
    assert told(await crl_at(nation, DELTA)) == {}


async def test_a_delta_follows_a_change_within_a_minute(nation):
    issued = await issue(nation, 1)
    assert told(await crl_at(nation, DELTA)) == {}
    nation.clock.advance(MINUTE)
    await suspend(nation, issued)
    await nation.platform.pki.refresh_lists()
    answer = await fetch(nation, DELTA)
    known = await fetch(nation, DELTA, headers={"if-none-match": answer.headers["etag"]})
    assert known.status_code == 304
    assert told(x509.load_der_x509_crl(answer.content)) == {
        int(issued.serial, 16): "certificateHold"
    }


@on_sqlite
async def test_a_full_list_is_cut_into_pieces_and_read_whole(nation, monkeypatch):
    from inkan.pki.service import mirrors

    monkeypatch.setattr(mirrors, "PIECE", 64)
    made = [await issue(nation, n) for n in range(4)]
    for issued in made:
        await revoke(nation, issued)
    assert set(told(await crl_at(nation, FULL))) == {int(each.serial, 16) for each in made}
    pieces = await rows(nation, store.mirror_piece, authority="card")
    assert len(pieces) > 3
    assert {len(row.piece) for row in pieces[:-1]} <= {64, len(pieces[-1].piece)}


@on_sqlite
async def test_who_has_no_full_list(nation):
    for name in ("root", "receipt", "nobody"):
        assert (await fetch(nation, f"/crl/{name}/full.crl")).status_code == 404


# --- second opinions ------------------------------------------------------------------------------------------


def openssl_verify(folder: Path, world, issued, *lists: bytes, options=()) -> str:
    """What openssl says of the certificate with these lists."""
    pem = Encoding.PEM
    chain = [authority(world, name).x509.public_bytes(pem) for name in ("root", "card")]
    loaded = [x509.load_der_x509_crl(der).public_bytes(pem) for der in lists]
    (folder / "root.pem").write_bytes(chain[0])
    (folder / "card.pem").write_bytes(chain[1])
    (folder / "leaf.pem").write_bytes(x509_of(issued).public_bytes(pem))
    (folder / "lists.pem").write_bytes(b"".join(loaded))
    moment = str(int(world.clock.now().timestamp()))
    command = [require("openssl"), "verify", "-attime", moment, "-crl_check", "-extended_crl"]
    command += [*options, "-CAfile", "root.pem", "-untrusted", "card.pem"]
    command += ["-CRLfile", "lists.pem", "leaf.pem"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "OK" if ran.returncode == 0 else ran.stderr


@pytest.mark.pki
@on_sqlite
async def test_openssl_agrees_about_shards(nation, tmp_path):
    first, other = await issue(nation, 1), await issue(nation, 2)
    shard = (await fetch(nation, path_of(first))).content
    assert openssl_verify(tmp_path, nation, first, shard) == "OK"
    await revoke(nation, first)
    shard = (await fetch(nation, path_of(first))).content
    assert "certificate revoked" in openssl_verify(tmp_path, nation, first, shard)
    assert "different CRL scope" in openssl_verify(tmp_path, nation, other, shard) or (
        path_of(first) == path_of(other)
    )


@pytest.mark.pki
@on_sqlite
async def test_openssl_agrees_about_deltas(nation, tmp_path):
    ended, held = await issue(nation, 1), await issue(nation, 2)
    await suspend(nation, held)
    base = (await fetch(nation, FULL)).content
    nation.clock.advance(2 * MINUTE)
    await revoke(nation, ended)
    await reinstate(nation, held)
    delta = (await fetch(nation, DELTA)).content
    use = ("-use_deltas",)
    assert openssl_verify(tmp_path, nation, ended, base) == "OK"
    assert "certificate revoked" in openssl_verify(
        tmp_path, nation, ended, base, delta, options=use
    )
    assert "certificate revoked" in openssl_verify(tmp_path, nation, held, base)
    assert openssl_verify(tmp_path, nation, held, base, delta, options=use) == "OK"
