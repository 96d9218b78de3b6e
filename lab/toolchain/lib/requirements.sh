# shellcheck shell=bash
# What the machine itself must have. All that is missing is named at once.

# settle_environment keeps what a shell happens to have set out of the builds; only Go's own
# settings about where modules come from are left to the user.
settle_environment() {
  unset GOOS GOARCH GOARM64 GOAMD64 GOEXPERIMENT "${!CGO_@}"
  export GOTOOLCHAIN=local GOWORK=off GOFLAGS="-mod=readonly -buildvcs=false"
}

# check_requirements sets go_version and go_arch.
check_requirements() {
  local c_tools="Debian, Ubuntu: apt install build-essential; Fedora, RHEL: dnf install gcc make glibc-devel"
  missing=()
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64 | Linux-aarch64) ;;
    *) missing+=("Linux on x86-64 or arm64 (this is $(uname -s) on $(uname -m))") ;;
  esac
  { read -r go_version && read -r go_arch; } < <(go env GOVERSION GOARCH 2>/dev/null) || true
  need Node 20.19 "$(node --version 2>/dev/null)" "https://nodejs.org/en/download"
  need Go 1.26.8 "$go_version" "https://go.dev/dl"
  need_command npm "comes with Node, https://nodejs.org/en/download"
  need_command gcc "$c_tools"
  need_command make "$c_tools"
  need_command curl "the package curl"
  need_command flock "the package util-linux"
  ((${#missing[@]} == 0)) || fail "this machine lacks:$(printf '\n  %s' "${missing[@]}")"
}

# need NAME MINIMUM VERSION-FOUND HOW: VERSION-FOUND may have a prefix, as in v20.1 and go1.26.
need() {
  local found=${3#v}
  found=${found#go}
  [[ -n $found ]] && printf '%s\n' "$2" "$found" | sort -V -C && return
  missing+=("$1 >= $2 (found ${found:-none}): $4")
}

need_command() {
  command -v "$1" >/dev/null || missing+=("$1: $2")
}
