"""An app that is registered, and a patient at a browser who may let it act."""

import pytest

from telehealth.accounts.access import Role
from telehealth.accounts.models import Application
from tests.accounts.apps import REDIRECT, App
from tests.people import Browser, ClientFor, MakeAccount, Person


@pytest.fixture
def app(db: None) -> App:
    Application.objects.create(
        client_id="an-app", name="An app", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    return App()


@pytest.fixture
def pia(make_account: MakeAccount) -> Person:
    return make_account(Role.PATIENT)


@pytest.fixture
def browser(pia: Person, client_for: ClientFor) -> Browser:
    return client_for(pia)
