"""Sockets, and in a demonstration everything on one port: WebSocket to Channels, HTTP to the WSGI handler in threads."""

import os
from typing import Any, cast

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_wsgi = get_wsgi_application()  # before anything that imports models

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402

from config.sockets import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": WSGIMiddleware(cast(Any, _wsgi), workers=16), "websocket": sockets})
