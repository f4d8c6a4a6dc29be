import pytest
import redis
from pytest_django import Settings

from prescribing import demo
from telehealth.accounts import totp
from telehealth.accounts.models import TOTPDevice
from telehealth.core.demo import DemoClinic
from tests.cast import Cast
from tests.consults.stage import Stage, appoint
from tests.prescribing.network import SECRET
from tests.prescribing.ward import Ward


@pytest.fixture
def ward(cast: Cast, valkey: redis.Redis, settings: Settings) -> Ward:
    """dr_cho has admitted pia; nobody answers for the pharmacy network yet."""
    settings.PHARMACY_NETWORK_URL = "http://127.0.0.1:9"
    settings.PHARMACY_NETWORK_SECRET = SECRET.decode()
    settings.SCRIPT_CLINIC_ID = "clinic-1"
    settings.CLINIC_ADDRESS = {"line": "1 Harbor Way", "city": "Quincy", "state": "MA", "postal_code": "02169"}
    settings.CLINIC_PHONE = "617-555-0100"
    settings.OUTBOX_BACKOFF_SECONDS = (60, 300, 900, 3600)
    demo.make(DemoClinic())
    device = TOTPDevice.objects.create(user_id=cast.dr_cho.id, seed=totp.new_seed(), confirmed=True)
    return Ward(cast, Stage(cast, appoint(cast.pia_record, cast.cho)).admitted(), device)
