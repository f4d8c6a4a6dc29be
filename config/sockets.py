"""WebSocket routes of all apps. Origins are checked by the consumers, which answer with documented close codes."""

from channels.routing import URLRouter

from consults import urls as consults

sockets = URLRouter([*consults.sockets])
