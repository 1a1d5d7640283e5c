"""Personal data: where keys come from, how originals are sealed, and how text is made fit to travel.

`Secrets` holds the root, from which a subkey per purpose is derived, and the numbered masters of the vault. `Vault`
seals originals by a key for each ticket, which the masters wrap and which can be destroyed. `Pseudonyms` stands in
for a person, `QueryCodes` lets a citizen look up a ticket, and `Redactor` replaces personal data in free text by
numbered marks that `restore` turns back for the unit that handles the ticket.
"""

from libs.common.runtime.privacy.keys import Secrets, SecretsError
from libs.common.runtime.privacy.redaction import Mark, Redactor, restore, unnumbered
from libs.common.runtime.privacy.tokens import Pseudonyms, QueryCodes
from libs.common.runtime.privacy.vault import DataKey, ErasedError, Vault, VaultError

__all__ = [
    "DataKey",
    "ErasedError",
    "Mark",
    "Pseudonyms",
    "QueryCodes",
    "Redactor",
    "Secrets",
    "SecretsError",
    "Vault",
    "VaultError",
    "restore",
    "unnumbered",
]
