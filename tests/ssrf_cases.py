"""Addresses that were used, or published as of use, to make a server ask what it should not. Each has a name of its own.

Collected from the OWASP cheat sheet on SSRF, "A New Era of SSRF" (Orange Tsai, 2017), PayloadsAllTheThings, the advisories of
urllib, requests, Node's `ip`, follow-redirects and others, and RFC 6890's registries of special addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

PRIVATE = {
    "loopback": "127.0.0.1", "loopback-high": "127.255.255.254", "this-host": "0.0.0.0", "this-network": "0.1.2.3",
    "ten": "10.0.0.1", "ten-end": "10.255.255.255", "172-16": "172.16.0.1", "172-31": "172.31.255.255", "192-168": "192.168.1.1",
    "carrier-nat": "100.64.0.1", "carrier-nat-end": "100.127.255.254", "link-local": "169.254.0.1", "metadata": "169.254.169.254",
    "metadata-ecs": "169.254.170.2", "metadata-alibaba": "100.100.100.200", "metadata-oracle": "192.0.0.192",
    "protocol-assignments": "192.0.0.1", "pcp-anycast": "192.0.0.9", "test-net-1": "192.0.2.1", "test-net-2": "198.51.100.1",
    "test-net-3": "203.0.113.1", "6to4-relay": "192.88.99.1", "benchmarking": "198.18.0.1", "benchmarking-end": "198.19.255.254",
    "multicast": "224.0.0.1", "multicast-ssdp": "239.255.255.250", "reserved": "240.0.0.1", "broadcast": "255.255.255.255",
}  # fmt: skip

PRIVATE_6 = {
    "loopback-6": "::1", "unspecified-6": "::", "compatible": "::127.0.0.1", "compatible-metadata": "::a9fe:a9fe",
    "translated": "::ffff:0:127.0.0.1", "nat64-local": "64:ff9b:1::7f00:1", "discard": "100::1", "unique-local": "fc00::1",
    "unique-local-aws": "fd00:ec2::254", "unique-local-gcp": "fd20:ce::254", "link-local-6": "fe80::1",
    "link-local-zone": "fe80::1%25eth0", "site-local": "fec0::1", "multicast-6": "ff02::1", "multicast-global": "ff0e::1",
    "documentation": "2001:db8::1", "documentation-2": "3fff::1", "orchid": "2001:10::1", "orchid-2": "2001:20::1",
    "benchmarking-6": "2001:2::1", "teredo": "2001:0:4136:e378:8000:63bf:80ff:fffe", "srv6": "5f00::1", "dummy": "100:0:0:1::1",
}  # fmt: skip


def spellings(address: str) -> Iterator[tuple[str, str]]:
    """An IPv4 address as resolvers and URL parsers of one kind or another read it: (kind, host)."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = a << 24 | b << 16 | c << 8 | d
    yield from (
        ("plain", address),
        ("trailing-dot", f"{address}."),
        ("decimal", str(number)),
        ("hex", f"0x{number:08x}"),
        ("hex-upper", f"0X{number:08X}"),
        ("octal", f"0{number:o}"),
        ("hex-parts", ".".join(f"0x{part:x}" for part in (a, b, c, d))),
        ("octal-parts", ".".join(f"0{part:o}" for part in (a, b, c, d))),
        ("octal-long", ".".join(f"000{part:03o}" for part in (a, b, c, d))),
        ("padded", ".".join(f"{part:03d}" for part in (a, b, c, d))),
        ("mixed", f"0x{a:x}.{b}.0{c:o}.{d}"),
        ("two-parts", f"{a}.{b << 16 | c << 8 | d}"),
        ("three-parts", f"{a}.{b}.{c << 8 | d}"),
        ("hex-two", f"0x{a:x}.0x{number & 0xFFFFFF:x}"),
        ("mapped", f"[::ffff:{address}]"),
        ("mapped-hex", f"[::ffff:{a << 8 | b:x}:{c << 8 | d:x}]"),
        ("mapped-long", f"[0:0:0:0:0:ffff:{a << 8 | b:x}:{c << 8 | d:x}]"),
        ("compatible", f"[::{address}]"),
        ("nat64", f"[64:ff9b::{a << 8 | b:x}:{c << 8 | d:x}]"),
        ("6to4", f"[2002:{a << 8 | b:x}:{c << 8 | d:x}::1]"),
        ("teredo", f"[2001:0:808:808:8000:f227:{(a << 8 | b) ^ 0xFFFF:x}:{(c << 8 | d) ^ 0xFFFF:x}]"),
        ("isatap", f"[fe80::5efe:{address}]"),
        ("full-width", "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in address)),
        ("circled", "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(char)] if char.isdigit() else char for char in address)),
        ("ideographic-dots", address.replace(".", "。")),
        ("escaped", "".join(f"%{ord(char):02x}" for char in address)),
    )


SPELLED = ("loopback", "metadata", "ten", "192-168", "this-host", "carrier-nat")
"""Of these every spelling is tried; of the others the plain one."""

LOCAL_NAMES = {
    "localhost": "localhost", "localhost-dot": "localhost.", "localhost-upper": "LOCALHOST", "localhost-domain": "localhost.localdomain",
    "sub-localhost": "feed.localhost", "localhost-6": "ip6-localhost", "localhost-circled": "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
}  # fmt: skip

CONFUSIONS = {
    "userinfo": "http://example.com@127.0.0.1/",
    "userinfo-password": "http://example.com:80@127.0.0.1/",
    "userinfo-empty": "http://@127.0.0.1/",
    "userinfo-port": "http://127.0.0.1:80@example.com:80/",
    "userinfo-escaped": "http://example.com%40127.0.0.1/",
    "userinfo-twice": "http://a@example.com@127.0.0.1/",
    "userinfo-space": "http://example.com @127.0.0.1/",
    "backslash-host": "http://example.com\\@127.0.0.1/",
    "backslash-slashes": "http:\\\\127.0.0.1\\",
    "backslash-path": "http://127.0.0.1\\.example.com/",
    "hash-at": "http://127.0.0.1#@example.com/",
    "question-at": "http://127.0.0.1?@example.com/",
    "hash-escaped": "http://127.0.0.1%23@example.com/",
    "semicolon": "http://127.0.0.1;example.com/",
    "comma": "http://127.0.0.1,example.com/",
    "null": "http://127.0.0.1\x00.example.com/",
    "null-escaped": "http://127.0.0.1%00.example.com/",
    "crlf": "http://127.0.0.1\r\nHost: example.com\r\n/",
    "crlf-escaped": "http://127.0.0.1:80%0d%0aX: y/",
    "newline-in-host": "http://127.0.\n0.1/",
    "tab-in-host": "http://127.0.\t0.1/",
    "tab-in-scheme": "ht\ttp://127.0.0.1/",
    "space-before": "http:// 127.0.0.1/",
    "three-slashes": "http:///127.0.0.1/",
    "one-slash": "http:/127.0.0.1/",
    "no-slash": "http:127.0.0.1/",
    "scheme-relative": "//127.0.0.1/",
    "port-twice": "http://127.0.0.1:11211:80/",
    "port-escaped": "http://127.0.0.1%3a80/",
    "port-word": "http://127.0.0.1:http/",
    "port-huge": "http://127.0.0.1:99999/",
    "port-negative": "http://127.0.0.1:-1/",
    "port-zero": "http://example.com:0/",
    "bracket-open": "http://[::1",
    "bracket-name": "http://[localhost]/",
    "bracket-after": "http://[::1]example.com/",
    "bracket-inside": "http://exam[::1]ple.com/",
    "zone": "http://[::1%25lo]/",
    "zone-raw": "http://[::1%lo]/",
    "soft-hyphen": "http://loc\u00adalhost/",
    "zero-width": "http://127.0.0\u200b.1/",
    "right-to-left": "http://\u202e127.0.0.1/",
    "long-s": "http://localho\u017ft/",
    "sharp-s": "http://127.0.0.1\u00df/",
    "at-full-width": "http://example.com\uff20127.0.0.1/",
    "slash-full-width": "http://127.0.0.1\uff0fexample.com/",
    "dot-one-leader": "http://127\u20240\u20240\u20241/",
    "file": "file:///etc/passwd",
    "file-host": "file://127.0.0.1/etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_SET%20x%20y",
    "dict": "dict://127.0.0.1:11211/stats",
    "ftp": "ftp://127.0.0.1/",
    "tftp": "tftp://127.0.0.1/x",
    "ldap": "ldap://127.0.0.1/",
    "jar": "jar:http://127.0.0.1/x!/",
    "data": "data:text/html,x",
    "javascript": "javascript:alert(1)",
    "view-source": "view-source:http://127.0.0.1/",
    "blob": "blob:http://127.0.0.1/x",
    "url-prefix": "url:http://127.0.0.1/",
    "url-file": "url:file:///etc/passwd",
    "netdoc": "netdoc:///etc/passwd",
    "unix": "http+unix://%2fvar%2frun%2fdocker.sock/",
    "ws": "ws://127.0.0.1/",
    "scheme-space": " file:///etc/passwd",
    "scheme-upper": "FILE:///etc/passwd",
    "scheme-nul": "\x00http://127.0.0.1/",
    "empty": "",
    "dot": "http://./",
    "dots": "http://.../",
    "percent": "http://%/",
}
"""Addresses in which parsers disagree about where the host is, or that are no web address at all."""


def cases() -> dict[str, str]:
    """Name → URL, of all of them."""
    found = {f"{name}-{kind}": f"http://{host}/" for name in SPELLED for kind, host in spellings(PRIVATE[name])}
    found |= {f"plain-{name}": f"http://{address}/" for name, address in PRIVATE.items() if name not in SPELLED}
    found |= {f"v6-{name}": f"http://[{address}]/" for name, address in PRIVATE_6.items()}
    found |= {f"name-{name}": f"http://{host}/" for name, host in LOCAL_NAMES.items()}
    return found | {f"url-{name}": url for name, url in CONFUSIONS.items()}
