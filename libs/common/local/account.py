"""The user a private server runs as, and what that user can reach."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Names found in any Unix: a packaged PostgreSQL makes the first, the second is always there.
_LESSER = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group to run programs as: ours, or a lesser one for root, which PostgreSQL refuses."""

    uid: int
    gid: int

    @classmethod
    def ours_or_lesser(cls) -> Self:
        """The caller's own account; where the caller is root, one that PostgreSQL accepts."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        known = {user.pw_name: user for user in pwd.getpwall()}
        user = next(known[name] for name in _LESSER if name in known)
        return cls(user.pw_uid, user.pw_gid)

    @classmethod
    def owner_of(cls, folder: Path) -> Self:
        """The account that a folder belongs to."""
        status = folder.stat()
        return cls(status.st_uid, status.st_gid)

    @property
    def is_ours(self) -> bool:
        """Whether this is who we are, so that nothing needs to be dropped."""
        return self.uid == os.geteuid()

    def run(self, command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as this account, in `folder`, away from our terminal's Ctrl-C.

        The program sees an environment of its own: a PGHOST or LC_ALL of the caller must not steer it.
        """
        return subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            user=None if self.is_ours else self.uid,
            group=None if self.is_ours else self.gid,
            extra_groups=None if self.is_ours else [],
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this account can enter a folder: one closed parent (such as /root) keeps it out."""
        return self.run(["test", "-x", folder.resolve()], Path("/")).returncode == 0

    def own(self, path: Path) -> None:
        """Hand a file or folder that we made to this account."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)
