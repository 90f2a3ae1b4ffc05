# Shared by bin/run and bin/test (sourced): finds a Python that can make the environment, and hands over to it.
# Sets: root (set by the caller). Offers: parley_python, parley_start.

parley_fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Prints the path of the first Python >= 3.11 that has all of the standard library the product needs.
parley_python() {
  local candidate path incomplete=""
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3.14 python3 python; do
    path=$(command -v "${candidate:-none}" 2>/dev/null) || continue
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null || continue
    if "$path" -c 'import ctypes, ensurepip, fcntl, sqlite3, ssl, venv' >/dev/null 2>&1 </dev/null; then
      printf '%s\n' "$path"
      return 0
    fi
    incomplete=${incomplete:-$path}
  done
  [ -z "$incomplete" ] || parley_fail "$incomplete lacks part of its standard library (venv, ensurepip, sqlite3 or ssl); on Debian or Ubuntu: apt install python3-venv, then start again."
  parley_fail "Parley needs Python 3.11 or newer, and none was found on PATH; install it (or set PYTHON to one) and start again."
}

# parley_start REQUIREMENTS SCRIPT [ARGUMENT...]: brings the environment up to date, then becomes SCRIPT inside it.
parley_start() {
  local requirements=$1 script=$2 python
  shift 2
  python=$(parley_python) || exit 1
  case " $* " in
    *" --help "* | *" -h "*) exec "$python" "$root/bin/$script" "$@" ;;
  esac
  exec "$python" "$root/bin/_env.py" "$requirements" "$script" "$@"
}
