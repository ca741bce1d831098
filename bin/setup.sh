# Sourced by bin/run, bin/test, bin/bench and bin/crash: what they need on a fresh Debian 12.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Installs the Debian packages that are missing, with root's rights or sudo's, or says which line
# to run. Asks nothing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' \
      || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      die "run this once, then start again: sudo apt-get install -y ${missing[*]}"
    fi
  fi
  say "installing ${missing[*]}"
  # Debian would start a cluster "main" of its own; clusters that exist are left alone.
  if ! dpkg-query -W postgresql-common >/dev/null 2>&1 \
    && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' \
      | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
      --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}"; } >"$log" 2>&1
  then
    tail -n 5 "$log" >&2
    die "apt-get could not install ${missing[*]} (the whole log is in $log)"
  fi
  rm -f "$log"
}

need_swift() {
  command -v swift >/dev/null || die "Swift 6.3 is needed: install it and put swift on the PATH"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    6.[3-9] | 6.[1-9][0-9] | [7-9].*) ;;
    *) die "Swift 6.3 or newer is needed, this is ${version:-unknown}" ;;
  esac
}

# The Python of tests and measurements, in .venv, as Tests/requirements.txt has it.
need_python() {
  need_packages python3 python3-venv
  if [ -x .venv/bin/python ] && cmp -s Tests/requirements.txt .venv/installed.txt; then return 0; fi
  say "preparing the Python environment"
  rm -rf .venv
  python3 -m venv .venv || die "python3 -m venv failed: is python3-venv installed?"
  .venv/bin/pip install --quiet --disable-pip-version-check -r Tests/requirements.txt \
    || die "pip could not install Tests/requirements.txt"
  cp Tests/requirements.txt .venv/installed.txt
}

BUILD_PACKAGES=(libpq-dev libargon2-dev libcmark-dev zlib1g-dev pkg-config postgresql-15)
