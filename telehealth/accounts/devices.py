"""Coarse words for the machine at the other end, so that people know their own again. Nothing that identifies one."""

from ipaddress import ip_address, ip_network

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
OTHER = "other"
PREFIX = {4: 24, 6: 48}


def words(user_agent: str) -> str:
    """Browser and system, such as "Firefox, Windows"; "other" for what is neither."""
    found = [next((name for mark, name in kind if mark in user_agent), "") for kind in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, found)) or OTHER


def prefix(address: str) -> str:
    """The network that an address is in: /24, for IPv6 /48; "" for what is no address."""
    try:
        known = ip_address(address.partition("/")[0])
    except ValueError:
        return ""
    return str(ip_network((known, PREFIX[known.version]), strict=False))
