"""The encrypted connection header, opened again with the real openssl."""

import base64
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth.meta_connection import encrypt

URL = "postgresql://blog_owner:p-w_1@localhost/blog?host=/run/postgresql"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="the program openssl is not installed")


def opened(sealed: str, passphrase: str) -> str:
    # The test's passphrase is no secret, and -pass env: cannot carry an empty one
    command = ["openssl", "enc", "-d", "-aes-256-cbc", "-md", "md5", "-a", "-A", "-pass", f"pass:{passphrase}"]
    done = subprocess.run(command, input=sealed.encode(), capture_output=True, check=True, timeout=20)
    return done.stdout.decode()


@needs_openssl
@pytest.mark.parametrize("url", [URL, "", "x" * 15, "x" * 16, "x" * 17, "postgresql://blög@localhost/ü"])
def test_openssl_opens_it(url: str) -> None:
    assert opened(encrypt(url, "a-passphrase"), "a-passphrase") == url


@needs_openssl
@settings(max_examples=15, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r\n")), st.binary(min_size=8, max_size=8))
def test_openssl_opens_any_text_with_any_salt(url: str, salt: bytes) -> None:
    assert opened(encrypt(url, "key", salt), "key") == url


def test_equal_input_gives_equal_text() -> None:
    assert encrypt(URL, "key") == encrypt(URL, "key")


def test_salt_differs_with_url_and_with_passphrase() -> None:
    salts = {base64.b64decode(text)[8:16] for text in (encrypt(URL, "a"), encrypt(URL, "b"), encrypt(URL + "2", "a"))}
    assert len(salts) == 3


def test_text_is_one_line_fit_for_a_header() -> None:
    sealed = encrypt("x" * 500, "key")
    assert base64.b64decode(sealed, validate=True).startswith(b"Salted__")


@pytest.mark.parametrize("salt", [b"", b"seven77", b"nine99999"])
def test_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(ValueError, match="allowed: 8"):
        encrypt(URL, "key", salt)
