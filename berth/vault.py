"""Text encrypted as ansible-vault does it, and the password file it takes."""

import secrets
from pathlib import Path
from typing import Any

from berth.errors import BerthError
from berth.files import write_atomically

PASSWORD_FILE = ".vault-password"  # noqa: S105 - the name of a file
_REMEDY = "set ANSIBLE_VAULT_PASSWORD_FILE or vault_password_file in ansible.cfg to the right file"


class VaultError(BerthError):
    """A file that cannot be encrypted or decrypted, with the password file and the remedy."""


class Vault:
    """Encrypts and decrypts with the password of one environment."""

    def __init__(self, inventory_dir: Path) -> None:
        self.inventory_dir = inventory_dir
        self._secret: Any = None

    def password_file(self) -> Path:
        """The configured password file as Ansible finds it, else .vault-password of the environment."""
        from ansible import constants

        configured = constants.config.get_config_value("DEFAULT_VAULT_PASSWORD_FILE")
        return Path(configured) if configured else self.inventory_dir / PASSWORD_FILE

    def encrypt(self, text: str, may_create_password: bool = False) -> str:
        """The text as `ansible-vault encrypt` writes it; raise VaultError."""
        from ansible.parsing.vault import VaultLib

        path = self.password_file()
        own = path.absolute() == (self.inventory_dir / PASSWORD_FILE).absolute()
        if own and not path.exists() and may_create_password:
            write_atomically(path, secrets.token_urlsafe(48) + "\n")
        return VaultLib(self.secrets()).encrypt(text).decode()

    def decrypt(self, path: Path) -> str:
        """The text of an encrypted file; raise VaultError, also when the file is not encrypted."""
        from ansible.errors import AnsibleError
        from ansible.parsing.vault import VaultLib, is_encrypted

        try:
            sealed = path.read_bytes()
        except OSError as error:
            raise VaultError(f"{path}: not readable ({error.strerror}); correct its permissions") from error
        if not is_encrypted(sealed):
            raise VaultError(f"{path}: not encrypted; run: ansible-vault encrypt {path}")
        try:
            return VaultLib(self.secrets()).decrypt(sealed).decode()
        except (AnsibleError, UnicodeDecodeError) as error:
            raise VaultError(
                f"{path}: cannot be decrypted with the password in {self.password_file()}; {_REMEDY}"
            ) from error

    def secrets(self) -> list[tuple[str, Any]]:
        """The password as Ansible's own classes take it, read once; raise VaultError."""
        from ansible.errors import AnsibleError
        from ansible.parsing.dataloader import DataLoader
        from ansible.parsing.vault import get_file_vault_secret

        if self._secret is None:
            path = self.password_file()
            try:
                secret = get_file_vault_secret(filename=str(path), loader=DataLoader())
                secret.load()
            except AnsibleError as error:
                reason = "not found" if not path.exists() else "empty, not readable, or a script that failed"
                raise VaultError(f"vault password file {path}: {reason}; restore it or {_REMEDY}") from error
            self._secret = secret
        return [("default", self._secret)]
