"""The demonstration's accounts: staff with a confirmed authenticator each, and the app that patients use."""

import secrets

from audit.ledger import SYSTEM
from telehealth.accounts import services, totp
from telehealth.accounts.access import Role
from telehealth.accounts.models import Application, TOTPDevice
from telehealth.core.demo import DemoClinic

APP_ID = "telehealth-demo-app"
APP_REDIRECT = "org.example.telehealth:/callback"
STAFF = {
    "admin": (Role.ADMINISTRATOR, "Ada Admin"),
    "privacy": (Role.PRIVACY_OFFICER, "Priya Privacy"),
    "desk": (Role.FRONT_DESK, "Dora Desk"),
    "nurse": (Role.NURSE, "Nan Nurse"),
    "cho": (Role.PROVIDER, "Dr. Ana Cho"),
    "dee": (Role.PROVIDER, "Dr. Ben Dee"),
    "eli": (Role.PROVIDER, "Dr. Cleo Eli"),
    "fay": (Role.PROVIDER, "Dr. Dan Fay"),
}


def make(clinic: DemoClinic) -> None:
    """Accounts with random passwords and seeds; the sign-ins go to the caller and nowhere else."""
    for key, (role, name) in STAFF.items():
        email, password, seed = f"{key}@clinic.example", secrets.token_urlsafe(15), totp.new_seed()
        user = services.create_account(email=email, role=role, by=SYSTEM, password=password, name=name)
        TOTPDevice.objects.create(user=user, seed=seed, confirmed=True)
        clinic.accounts[key] = user.pk
        clinic.sign_ins.append({"role": role.value, "email": email, "password": password, "totp_secret": seed, "name": name})
    app = Application(client_id=APP_ID, name="Telehealth demo app", client_type="public", redirect_uris=APP_REDIRECT)
    services.register_app(app=app, by=SYSTEM)
