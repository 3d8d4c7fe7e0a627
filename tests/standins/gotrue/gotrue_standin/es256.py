"""ECDSA over P-256 with SHA-256, the algorithm ES256, from the standard library alone; slow and for tests only."""

import hashlib
import secrets

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = P - 3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point = tuple[int, int]


def sign(text: bytes, private: int) -> bytes:
    """Return the signature as the 64 bytes of a JWT."""
    while True:
        nonce = 1 + secrets.randbelow(ORDER - 1)
        r = multiply([(nonce, BASE)])[0] % ORDER
        s = pow(nonce, -1, ORDER) * (digest(text) + r * private) % ORDER
        if r and s:
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(text: bytes, signature: bytes, public: Point) -> bool:
    """Return whether the owner of the public key made the signature."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (0 < r < ORDER and 0 < s < ORDER):
        return False
    inverse = pow(s, -1, ORDER)
    found = multiply([(digest(text) * inverse % ORDER, BASE), (r * inverse % ORDER, public)])
    return found is not None and found[0] % ORDER == r


def is_on_curve(point: Point) -> bool:
    """Return whether the point can be a public key."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def digest(text: bytes) -> int:
    """Return the hash as a number."""
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def multiply(terms: list[tuple[int, Point]]) -> Point | None:
    """Return the sum of points, each times its factor; None for the point at infinity."""
    total = (1, 1, 0)
    for bit in range(255, -1, -1):
        total = double(total)
        for factor, point in terms:
            if factor >> bit & 1:
                total = add(total, point)
    x, y, z = total
    if not z:
        return None
    inverse = pow(z, -1, P)
    return x * inverse**2 % P, y * inverse**3 % P


def double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return twice a point in Jacobian coordinates."""
    x, y, z = point
    if not z:
        return point
    yy = y * y % P
    middle = 4 * x * yy % P
    slope = (3 * x * x + A * pow(z, 4, P)) % P
    new_x = (slope * slope - 2 * middle) % P
    return new_x, (slope * (middle - new_x) - 8 * yy * yy) % P, 2 * y * z % P


def add(point: tuple[int, int, int], other: Point) -> tuple[int, int, int]:
    """Return the sum of a point in Jacobian coordinates and one on the plane."""
    x, y, z = point
    if not z:
        return (*other, 1)
    zz = z * z % P
    across, up = (other[0] * zz - x) % P, (other[1] * zz * z - y) % P
    if not across:
        return double(point) if not up else (1, 1, 0)
    square = across * across % P
    cube, start = square * across % P, x * square % P
    new_x = (up * up - cube - 2 * start) % P
    return new_x, (up * (start - new_x) - y * cube) % P, z * across % P
