# shellcheck shell=bash
# What the person in front of it sees, all on stderr.

say() { printf 'toolchain: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# follow PID COMMAND…: until the process ends, runs COMMAND with the seconds so far, every 15 s and not sooner after the process before.
followed=-15
follow() {
  local pid=$1 start=$SECONDS
  while kill -0 "$pid" 2>/dev/null; do
    if ((SECONDS - followed >= 15)); then
      followed=$SECONDS
      "${@:2}" $((SECONDS - start))
    fi
    sleep 0.1
  done
}

# minutes SECONDS
minutes() {
  if (($1 < 90)); then printf '1 minute'; else printf '%s minutes' $((($1 + 30) / 60)); fi
}
