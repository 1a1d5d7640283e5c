"""Personal data: where keys come from, how originals are sealed, and how text is made fit to travel.

`Secrets` holds the one master secret and derives a subkey per purpose. `Vault` seals originals, `Pseudonyms` stands
in for a person, `QueryCodes` lets a citizen look up a ticket, and `Redactor` replaces personal data in free text by
numbered marks that `restore` turns back for the unit that handles the ticket.
"""

from libs.common.runtime.privacy.keys import Secrets, SecretsError
from libs.common.runtime.privacy.redaction import Mark, Redactor, restore
from libs.common.runtime.privacy.tokens import Pseudonyms, QueryCodes
from libs.common.runtime.privacy.vault import Vault, VaultError

__all__ = [
    "Mark",
    "Pseudonyms",
    "QueryCodes",
    "Redactor",
    "Secrets",
    "SecretsError",
    "Vault",
    "VaultError",
    "restore",
]
