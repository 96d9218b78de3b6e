# shellcheck shell=bash
# What the person in front of it sees, all on stderr: a line that ticks on a terminal,
# plain lines now and then elsewhere.

say() { printf 'toolchain: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# follow PID TEXT: shows TEXT and the elapsed time until the process ends.
follow() {
  local pid=$1 text=$2 start=$SECONDS shown=0 every=15 elapsed
  [[ ! -t 2 ]] || every=1
  say "$text"
  while kill -0 "$pid" 2>/dev/null; do
    elapsed=$((SECONDS - start))
    if ((elapsed >= shown + every)); then
      shown=$elapsed
      [[ ! -t 2 ]] || printf '\033[A\033[K' >&2 # over the line before
      say "$text, $elapsed s so far"
    fi
    sleep 0.1
  done
  [[ ! -t 2 ]] || printf '\033[A\033[K' >&2
}
