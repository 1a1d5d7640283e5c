#!/usr/bin/env bash
# Makes .venv and installs what the named lock says: `scripts/setup.sh run`, `dev`, or `media`, which adds to either.
# A copy of the lock inside .venv is the stamp: while it is the same, there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  media) lock=requirements-media.lock ;;
  *) echo "usage: scripts/setup.sh run|dev|media" >&2; exit 2 ;;
esac

# The sentence model of classify, as Maven Central serves it. Without it appeals are judged by their characters alone.
sentences=.venv/share/jiesu/bge-small-zh-v1.5-q.jar

say() { printf 'jiesu: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; return 1; }; }

.venv/bin/python -c '' 2>/dev/null && cmp -s "$lock" ".venv/$lock" && [ -e "$sentences" ] && exit 0

find_python() {
  local name
  for name in python3.11 python3.12 python3.13 python3.14 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# Debian and Ubuntu cut ensurepip out of Python: then the system's pip or virtualenv does as well, and else the
# package that carries it is installed, where we may.
make_venv() {
  local python=$1 package
  rm -rf .venv
  "$python" -m venv .venv >/dev/null 2>&1 && return
  rm -rf .venv
  "$python" -m virtualenv -q .venv >/dev/null 2>&1 && return
  rm -rf .venv
  if "$python" -m venv --without-pip .venv >/dev/null 2>&1 &&
    "$python" -m pip --python .venv/bin/python install -q pip >/dev/null 2>&1; then
    return
  fi
  rm -rf .venv
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $package, which this Python needs to make an environment"
    quietly apt-get update -q || true
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$package" ||
      die "apt-get could not install $package; install it, then run this again"
    quietly "$python" -m venv .venv && return
  fi
  rm -rf .venv
  die "$python cannot make an environment; install $package (sudo apt-get install $package), then run this again"
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  python=$(find_python) || die "Python 3.11 or newer is needed and was not found; install python3, then run this again"
  say "making .venv with $("$python" --version)"
  make_venv "$python"
fi

say "installing $(grep -c '==' "$lock") packages from $lock"
# --no-compile: only what is imported gets compiled, when it first is. It halves the time of a first install.
quietly .venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check \
  --require-hashes --only-binary :all: -r "$lock" || die "the packages could not be installed; the reason stands above"

if [ ! -e "$sentences" ]; then
  say "fetching the sentence model (16 MB)"
  quietly .venv/bin/python scripts/sentences.py ||
    say "the sentence model could not be fetched; appeals are judged by their characters alone until this runs again"
fi

# The development lock holds all of the other, at the same versions; so does that of media, which leaves what is there.
[ "$lock" = requirements-media.lock ] || rm -f .venv/requirements.lock .venv/requirements-dev.lock
cp requirements.lock .venv/
[ "$lock" = requirements.lock ] || cp "$lock" .venv/
