"""The ceremonies of a nation: quorum, offline keys, a bridge, links and successors."""

from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509

from inkan.composition.platform import Platform, assemble
from inkan.crypto import oids
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_providers import KeyProvider
from inkan.crypto.path import ValidationPolicy
from inkan.demo.custodians import CustodianCard, make_custodian, with_custodians
from inkan.kernel.sensitive import Secret
from inkan.pki import CertificateOrder, KeyUsage, SubjectName, read_ceremony
from inkan.pki.model import (
    AuthorityUnknown,
    CeremonyDone,
    CeremonyNotApproved,
    CeremonyWrong,
    KeyOffline,
    Role,
)
from inkan.store.database import Database
from inkan.wire.ceremony_transcript import Transcript
from pki.test_foreign import openssl, pem
from support.clock import StandingClock
from support.inline_workers import InlineWorkers
from support.world import PASSPHRASE, settings_for

NATION = (files("inkan.pki") / "ceremonies" / "nation.toml").read_text(encoding="utf-8")
TITLE = "Inkan test nation"


class Nation:
    """An instance, its custodians' cards and its offline key store."""

    def __init__(self, platform: Platform, cards: list[CustodianCard], offline: KeyProvider):
        self.platform = platform
        self.cards = cards
        self.offline = offline
        self.file = with_custodians(NATION, cards)

    async def hold(
        self, text: str, *, by: list[int] | None = None, sees: str | None = None, **more: Any
    ) -> Transcript:
        """Hold the ceremony of a text, approved by these custodians, who saw that text or another one."""
        ceremony = read_ceremony(text)
        now = self.platform.clock.now()
        approvals = [
            self.cards[each].approve((sees or text).encode(), title=ceremony.title, at=now)
            for each in (by if by is not None else [0, 1])
        ]
        return await self.platform.pki.hold_ceremony(
            ceremony,
            file=text.encode(),
            approvals=approvals,
            **{"offline": self.offline, **more},
        )

    async def found(self) -> Transcript:
        return await self.hold(self.file)

    def certificate(self, name: str) -> bytes:
        return self.platform.pki.hierarchy.certificate(name)


@pytest.fixture
async def nation(database: Database, clock: StandingClock, tmp_path: Path) -> Nation:
    settings = settings_for(tmp_path)
    settings = msgspec.structs.replace(
        settings, pki=msgspec.structs.replace(settings.pki, lint=True)
    )
    keys = EncryptedFileKeyProvider(tmp_path / "keys", PASSPHRASE, cost=2**10)
    offline = EncryptedFileKeyProvider(tmp_path / "offline", Secret("of the shares"), cost=2**10)
    platform = assemble(settings, clock=clock, db=database, keys=keys, workers=InlineWorkers())
    await platform.pki.load()
    cards = [
        make_custodian(
            tmp_path / f"{number}.card", name=f"C{number}", pin=Secret("571908"), now=clock.now()
        )
        for number in range(3)
    ]
    return Nation(platform, cards, offline)


@pytest.mark.req("HCA-33", "JPKI-38")
async def test_a_nation_is_founded_from_one_approved_file(nation: Nation) -> None:
    transcript = await nation.found()
    roles = {line.name: line.role for line in transcript.made}
    assert roles == {
        "root": "root",
        "health-root": "root",
        "bridge": "bridge",
        **dict.fromkeys(("card", "phone", "seal", "service", "window"), "issuing"),
        **dict.fromkeys(
            ("card-ocsp", "phone-ocsp", "seal-ocsp", "service-ocsp", "window-ocsp"), "ocsp"
        ),
        "receipt": "receipt",
        "audit-head": "audit-head",
        "tsa": "tsa",
        **dict.fromkeys(
            ("root-to-bridge", "bridge-to-health-root", "health-root-to-bridge", "bridge-to-root"),
            "cross",
        ),
    }
    assert [approver.unit for approver in transcript.approvals] == [
        "National audit office",
        "National archives",
    ]
    assert len(nation.platform.pki.anchors()) == 2
    assert nation.certificate("bridge") not in nation.platform.pki.anchors()


async def test_root_and_bridge_keys_are_offline_and_nothing_online_can_use_them(
    nation: Nation,
) -> None:
    await nation.found()
    hierarchy = nation.platform.pki.hierarchy
    online = set(nation.platform.keys.labels())
    for name in ("root", "health-root", "bridge"):
        authority = hierarchy.get(name)
        assert authority.is_offline
        assert authority.key_label not in online
        assert authority.key_label in nation.offline.labels()
        with pytest.raises(KeyOffline):
            hierarchy.key_of(authority, "crl")  # type: ignore[arg-type]
    assert not hierarchy.get("phone").is_offline


@pytest.mark.req("HCA-33")
@pytest.mark.parametrize("by", [[], [0], [0, 0], [0, 2], [1, 2]])
async def test_without_two_units_outside_operations_nothing_is_made(
    nation: Nation, by: list[int]
) -> None:
    with pytest.raises(CeremonyNotApproved):
        await nation.hold(nation.file, by=by)
    assert nation.platform.pki.authorities() == []
    assert nation.offline.labels() == ()


async def test_an_approval_of_another_file_or_by_another_card_counts_for_nothing(
    nation: Nation, tmp_path: Path, clock: StandingClock
) -> None:
    with pytest.raises(CeremonyNotApproved):
        await nation.hold(nation.file, sees=nation.file + "\n")
    stranger = make_custodian(
        tmp_path / "stranger.card", name="C1", pin=Secret("571908"), now=clock.now()
    )
    nation.cards[1] = stranger
    with pytest.raises(CeremonyNotApproved):
        await nation.hold(nation.file)


async def test_a_card_past_its_term_approves_nothing(nation: Nation, clock: StandingClock) -> None:
    clock.tick(31 * 86_400)
    with pytest.raises(CeremonyNotApproved):
        await nation.found()


async def test_production_demands_a_custody(nation: Nation) -> None:
    nation.platform.pki._master._quorum = True
    text = nation.file[: nation.file.index("[custody]")]
    with pytest.raises(CeremonyNotApproved):
        await nation.hold(text, by=[])


async def test_later_ceremonies_need_the_custodians_of_the_founding_not_their_own(
    nation: Nation, tmp_path: Path, clock: StandingClock
) -> None:
    await nation.found()
    own = [
        make_custodian(tmp_path / f"own{n}.card", name="O", pin=Secret("571908"), now=clock.now())
        for n in range(2)
    ]
    custody = with_custodians(nation.file, [])[nation.file.index("[custody]") :]
    for card, mine in zip(nation.cards, own, strict=False):
        custody = custody.replace(card.certificate_sha256, mine.certificate_sha256)
    text = f'kind = "sign-lists"\ntitle = "{TITLE}"\n{custody}'
    nation.cards[:2] = own
    with pytest.raises(CeremonyNotApproved):
        await nation.hold(text)


async def test_a_rehearsal_makes_everything_and_leaves_nothing(nation: Nation) -> None:
    transcript = await nation.hold(nation.file, is_rehearsal=True)
    assert transcript.is_rehearsal
    assert len(transcript.made) == 20
    assert nation.platform.pki.authorities() == []
    assert nation.offline.labels() == ()
    assert not [label for label in nation.platform.keys.labels() if label.startswith("ca.")]
    real = await nation.found()
    assert not {line.thumbprint_sha256 for line in real.made if line.name != "audit-head"} & {
        line.thumbprint_sha256 for line in transcript.made
    }


async def test_no_file_is_held_twice(nation: Nation) -> None:
    await nation.found()
    with pytest.raises(CeremonyDone):
        await nation.found()
    text = f'kind = "sign-lists"\ntitle = "{TITLE}"\n'
    await nation.hold(text)
    with pytest.raises(CeremonyDone):
        await nation.hold(text)


async def window_certificate(nation: Nation) -> bytes:
    from inkan.crypto.keys import KeySpec, generate, spki_der
    from inkan.kernel.sensitive import Personal

    issued = await nation.platform.pki.issue(
        CertificateOrder(
            order_key="window:1",
            profile="window",
            owner="window-1",
            subject=SubjectName(common_name=Personal("Window 1"), serial_number="1" * 16),
            spki=spki_der(generate(KeySpec.P256).public_key()),
            not_after=nation.platform.clock.now().replace(microsecond=0) + timedelta(days=300),
        )
    )
    return issued.der


async def test_who_trusts_the_citizens_root_alone_reaches_a_window_over_the_bridge(
    nation: Nation, tmp_path: Path
) -> None:
    await nation.found()
    leaf = await window_certificate(nation)
    names = ("root-to-bridge", "bridge-to-health-root", "window")
    policy = ValidationPolicy(
        anchors=(nation.certificate("root"),),
        at=nation.platform.clock.now(),
        key_usage=frozenset({KeyUsage.DIGITAL_SIGNATURE}),
        policies=frozenset({oids.POLICY_CARD_SIGN}),
        intermediates=tuple(nation.certificate(name) for name in names),
    )
    made = {name: pem(tmp_path, name, nation.certificate(name)) for name in (*names, "root")}
    untrusted = tmp_path / "untrusted.pem"
    untrusted.write_text("".join(made[name].read_text() for name in names))

    def verify(wanted: str) -> tuple[int, str]:
        return openssl(
            "verify", "-attime", int(policy.at.timestamp()), "-CAfile", made["root"],
            "-untrusted", untrusted, "-policy", wanted, "-explicit_policy", "-policy_check",
            pem(tmp_path, "leaf", leaf),
        )  # fmt: skip

    code, said = verify(oids.POLICY_CARD_SIGN)
    assert code == 0, said
    code, said = verify(oids.POLICY_PHONE_SIGN)  # not mapped onto the bridge
    assert code != 0, said


async def test_a_new_root_is_linked_to_the_old_one_in_both_directions(
    nation: Nation, tmp_path: Path
) -> None:
    await nation.found()
    text = f'kind = "replace-root"\ntitle = "{TITLE}"\nroot = "root"\nname = "root-2"\n'
    transcript = await nation.hold(text)
    assert {line.name: line.role for line in transcript.made} == {
        "root-2": "root",
        "root-2-to-root": "link",
        "root-to-root-2": "link",
    }
    old, new = nation.certificate("root"), nation.certificate("root-2")
    subjects = {x509.load_der_x509_certificate(der).subject for der in (old, new)}
    assert len(subjects) == 1
    # Who has the new anchor only verifies what the old root certified, and the other way round.
    at = int(nation.platform.clock.now().timestamp())
    link = pem(tmp_path, "link", nation.certificate("root-2-to-root"))
    anchor = pem(tmp_path, "new", new)
    code, said = openssl(
        "verify", "-attime", at, "-CAfile", anchor, "-untrusted", link,
        pem(tmp_path, "phone", nation.certificate("phone")),
    )  # fmt: skip
    assert code == 0, said
    back = pem(tmp_path, "back", nation.certificate("root-to-root-2"))
    code, said = openssl("verify", "-attime", at, "-CAfile", pem(tmp_path, "old", old), back)
    assert code == 0, said
    with pytest.raises(CeremonyWrong):  # it was replaced already
        await nation.hold(text.replace("root-2", "root-3"))


@pytest.mark.req("HCA-36")
async def test_a_successor_takes_over_the_profiles_and_the_old_ones_certificates_stay_good(
    nation: Nation,
) -> None:
    await nation.found()
    before = await window_certificate(nation)
    text = (
        f'kind = "replace-authority"\ntitle = "{TITLE}"\nauthority = "window"\n'
        'name = "window-2"\ncommon_name = "Inkan Test Window CA 2"\n'
    )
    await nation.hold(text)
    pki = nation.platform.pki
    assert pki.hierarchy.issuer_of("window").name == "window-2"
    assert [each.name for each in pki.hierarchy.issuers_of("window")] == ["window", "window-2"]
    assert await pki.crl("window")
    assert (
        x509.load_der_x509_certificate(before).issuer
        == x509.load_der_x509_certificate(nation.certificate("window")).subject
    )


async def test_another_domain_is_certified_by_its_certificate(
    nation: Nation, tmp_path: Path
) -> None:
    import base64

    await nation.found()
    foreign = nation.certificate("health-root")
    text = (
        f'kind = "cross-certify"\ntitle = "{TITLE}"\n[[cross]]\nissuer = "bridge"\n'
        f'subject = "elsewhere"\ncertificate = "{base64.b64encode(foreign).decode()}"\n'
        'policies = ["bridge"]\nmappings = [["bridge", "1.2.3.4"]]\npermitted = ["C=JP"]\n'
    )
    transcript = await nation.hold(text)
    assert [line.name for line in transcript.made] == ["bridge-to-elsewhere"]
    made = x509.load_der_x509_certificate(nation.certificate("bridge-to-elsewhere"))
    names = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical
    assert made.subject == x509.load_der_x509_certificate(foreign).subject


async def test_an_offline_key_is_needed_where_an_offline_key_signs(nation: Nation) -> None:
    await nation.found()
    text = f'kind = "replace-root"\ntitle = "{TITLE}"\nroot = "root"\nname = "root-2"\n'
    with pytest.raises(KeyOffline):
        await nation.hold(text, offline=None)
    assert nation.platform.pki.hierarchy.find("root-2") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "National archives"', 'unit = "National audit office"'),
        ('unit = "National archives"', 'unit = "National archives"\noperations = true'),
        ("approvals = 2", "approvals = 1"),
        ("approvals = 2", "approvals = 4"),
        ("shares_needed = 2", "shares_needed = 4"),
        (":".join(["BB"] * 32), ":".join(["AA"] * 32)),
        ('parent = "health-root"', 'parent = "card"'),
        ('subject = "health-root"\npolicies', 'subject = "nobody"\npolicies'),
        ('mappings = [["bridge", "window"]]', 'mappings = [["window", "bridge"]]'),
        ('permitted = ["C=TW"]\npath_length = 1\n\n[[cross]]\nissuer = "health', 'permitted = ["??"]\n\n[[cross]]\nissuer = "health'),
        ('name = "health-root"', 'name = "root"'),
    ],
)  # fmt: skip
def test_a_file_that_is_no_nation(old: str, new: str) -> None:
    assert old in NATION
    with pytest.raises(CeremonyWrong):
        read_ceremony(NATION.replace(old, new, 1))


async def test_roles_of_the_hierarchy_have_each_their_profile(nation: Nation) -> None:
    await nation.found()
    for role in (Role.ROOT, Role.BRIDGE):
        for authority in nation.platform.pki.hierarchy.of_role(role):
            found = x509.load_der_x509_certificate(authority.certificate)
            assert found.issuer == found.subject


async def test_lists_of_offline_authorities_are_signed_in_ceremonies_only(nation: Nation) -> None:
    await nation.found()
    pki = nation.platform.pki
    before = {name: await pki.crl(name) for name in ("root", "health-root", "bridge")}
    assert await pki.lists.refresh() == 0
    await nation.hold(
        f'kind = "sign-lists"\ntitle = "{TITLE}"\n'
        'revoke = [{name = "bridge-to-root", reason = "cessationOfOperation"},\n'
        '          {name = "window", reason = "cACompromise"}]\n'
    )
    after = {name: x509.load_der_x509_crl(await pki.crl(name)) for name in before}
    revoked = {name: {each.serial_number for each in found} for name, found in after.items()}
    serials = {
        name: x509.load_der_x509_certificate(nation.certificate(name)).serial_number
        for name in ("bridge-to-root", "window")
    }
    assert revoked == {
        "root": set(),
        "health-root": {serials["window"]},
        "bridge": {serials["bridge-to-root"]},
    }
    with pytest.raises(AuthorityUnknown):
        pki.hierarchy.issuer_of("window")
