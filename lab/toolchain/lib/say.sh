# shellcheck shell=bash
# What the person in front of it sees, all on stderr.

say() { printf 'toolchain: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# minutes SECONDS
minutes() {
  if (($1 < 90)); then printf '1 minute'; else printf '%s minutes' $((($1 + 30) / 60)); fi
}
