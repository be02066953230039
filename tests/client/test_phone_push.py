"""The phone's side of push: keys that outlive a restart, and messages that only this phone reads."""

import pytest

from client.phones import bound, reopen
from inkan.client.exchange import CallRefused
from inkan.client.phone_push import PhoneNotSubscribed, decrypt_push
from inkan.crypto import base64url, webpush
from inkan.crypto.base64url import Base64URLMalformed
from inkan.crypto.webpush import PushMessageMalformed
from inkan.kernel.sensitive import Secret
from inkan.wire.wake_up import PADDED, WakeUpMalformed, wake_up_bytes
from support.keyring import ec_key
from support.phone_words import Refusal

HANDLE = "p" * 22
ENDPOINT = "https://push.example.com/wpush/v2/x"
KEY = base64url.encode(webpush.point(ec_key(1).public_key()))


class Subscriptions:
    """What the stand-in of the platform hears of push."""

    def __init__(self, platform):
        self.held = None
        self.key = KEY
        platform.get_phone_v1_push_key = lambda _: {"key": self.key}
        platform.put_phone_v1_push = self._put
        platform.delete_phone_v1_push = self._delete

    def _put(self, body):
        self.held = body

    def _delete(self, _):
        self.held = None

    def message(self, data: bytes = wake_up_bytes(HANDLE)) -> bytes:
        keys = self.held["keys"]
        receiver = webpush.load_receiver(keys["p256dh"], keys["auth"])
        return webpush.encrypt(data, receiver, padded=PADDED)


@pytest.fixture
def subscriptions(platform):
    return Subscriptions(platform)


async def test_a_phone_subscribes_reads_and_unsubscribes(tmp_path, platform, subscriptions):
    async with bound(tmp_path, platform) as phone:
        assert await phone.push_key() == webpush.point(ec_key(1).public_key())
        await phone.subscribe(ENDPOINT)
        assert set(subscriptions.held) == {"carrier", "endpoint", "keys"}
        assert (subscriptions.held["carrier"], subscriptions.held["endpoint"]) == (
            "webpush",
            ENDPOINT,
        )
        assert phone.read_push(subscriptions.message()) == HANDLE
        await phone.unsubscribe()
        assert subscriptions.held is None
        with pytest.raises(PhoneNotSubscribed):
            phone.read_push(b"x")


async def test_the_keys_outlive_a_restart_and_change_with_the_subscription(
    tmp_path, platform, subscriptions
):
    async with bound(tmp_path, platform) as phone:
        await phone.subscribe(ENDPOINT, carrier="unifiedpush")
    first = subscriptions.message()
    async with reopen(tmp_path, platform) as phone:
        assert phone.read_push(first) == HANDLE
        await phone.subscribe(ENDPOINT)
        with pytest.raises(PushMessageMalformed):
            phone.read_push(first)


async def test_a_lost_answer_is_asked_for_again(tmp_path, platform, subscriptions):
    platform.lose["/phone/v1/push"] = 1
    async with bound(tmp_path, platform) as phone:
        await phone.subscribe(ENDPOINT)
        assert phone.read_push(subscriptions.message()) == HANDLE
        assert platform.bodies[0] == platform.bodies[1]


async def test_a_refusal_is_the_platforms_own(tmp_path, platform, subscriptions):
    platform.refuse["/phone/v1/push"] = Refusal(400, "push_subscription_refused")
    async with bound(tmp_path, platform) as phone:
        with pytest.raises(CallRefused) as refused:
            await phone.subscribe("http://inside/")
        assert refused.value.problem_code == "push_subscription_refused"


async def test_a_platform_key_that_is_none_is_refused(tmp_path, platform, subscriptions):
    subscriptions.key = "AAAA"
    async with bound(tmp_path, platform) as phone:
        with pytest.raises(Base64URLMalformed):
            await phone.push_key()


async def test_a_message_that_is_no_wake_up_is_refused(tmp_path, platform, subscriptions):
    async with bound(tmp_path, platform) as phone:
        await phone.subscribe(ENDPOINT)
        with pytest.raises(WakeUpMalformed):
            phone.read_push(subscriptions.message(b'{"h":"<script>"}'))


def test_anyone_reads_with_key_and_secret():
    receiver = webpush.Receiver(ec_key(2).public_key(), Secret(b"s" * 16))
    body = webpush.encrypt(wake_up_bytes(HANDLE), receiver)
    assert decrypt_push(body, key=ec_key(2), auth=receiver.auth) == HANDLE
