"""Fetching a picture a server has answered as a URL, without being led astray.

The address comes from outside: it must not reach into this machine or its network, redirect,
drip for ever, or pour without end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from typing import Final

import httpx2

MAX_BYTES: Final = 64 * 1024 * 1024
DEADLINE: Final = 60.0
"""Seconds for a whole download."""

# Python 3.11 calls these global; one of them is a cloud's metadata service (192.0.0.192).
_INWARD: Final = [
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4")
]
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class DownloadRefusedError(Exception):
    """The URL or its answer is not acceptable; the text says why, without the URL."""


async def download(
    url: str,
    *,
    trusted: tuple[str, int],
    tls: ssl.SSLContext | bool = True,
    max_bytes: int = MAX_BYTES,
    deadline: float = DEADLINE,
) -> bytes:
    """Return the body behind a URL.

    Args:
        url: Any http or https URL, without user and password.
        trusted: Host and port of the server that named the URL; it may send to itself, wherever
            it is. All other hosts must have only public addresses, on port 80 or 443.
        tls: How certificates are checked.
        max_bytes: The largest body.
        deadline: Seconds for everything, the name's lookup included.

    Raises:
        DownloadRefusedError: The URL leads inward, or the answer is not a plain body within limits.
        httpx2.HTTPError: The transfer failed.
        TimeoutError: It took too long.
    """
    async with asyncio.timeout(deadline):
        parsed = _parse(url)
        address = await _checked_address(parsed, trusted)
        # To the very address that was checked: a second lookup could give another one.
        pinned = parsed.copy_with(host=address)
        headers = {"Host": parsed.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        async with (
            httpx2.AsyncClient(
                trust_env=False, follow_redirects=False, timeout=deadline, verify=tls
            ) as client,
            client.stream(
                "GET", pinned, headers=headers, extensions={"sni_hostname": parsed.host}
            ) as response,
        ):
            return await _body(response, max_bytes)


def _parse(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise DownloadRefusedError("it is not a URL") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise DownloadRefusedError("it is neither http nor https")
    if parsed.userinfo:
        raise DownloadRefusedError("it holds a user name")
    return parsed


async def _checked_address(url: httpx2.URL, trusted: tuple[str, int]) -> str:
    port = url.port or {"https": 443}.get(url.scheme, 80)
    loop = asyncio.get_running_loop()
    try:
        # The ASCII form: a host in other scripts resolves to what is connected to.
        host = url.raw_host.decode("ascii").strip("[]")
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DownloadRefusedError("its host cannot be found") from None
    addresses = [str(entry[4][0]) for entry in found]
    if (url.host, port) != trusted:
        if port not in {80, 443}:
            raise DownloadRefusedError("its port is neither 80 nor 443")
        if any(not _is_public(address) for address in addresses):
            raise DownloadRefusedError("its host is not on the public internet")
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if inner := ip.ipv4_mapped or ip.sixtofour:
            return _is_public(str(inner))
        if ip.teredo:
            return False
        if ip in _NAT64:
            return _is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    elif any(ip in network for network in _INWARD):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


async def _body(response: httpx2.Response, max_bytes: int) -> bytes:
    if response.status_code != 200:
        raise DownloadRefusedError(f"its answer has status {response.status_code}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise DownloadRefusedError("its answer is compressed, against the request")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise DownloadRefusedError(f"its answer is larger than {max_bytes >> 20} MB")
    return bytes(body)
