#!/usr/bin/env bash
# Installs a Chromium, and type for Chinese, where neither is there yet: only root with apt-get can.
set -euo pipefail

for program in chromium chromium-browser google-chrome google-chrome-stable; do
  command -v "$program" >/dev/null && exit 0
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "browser: install chromium and fonts-noto-cjk; only root with apt-get can be helped" >&2
  exit 1
fi
echo "browser: installing chromium and fonts-noto-cjk" >&2
apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium fonts-noto-cjk >/dev/null
