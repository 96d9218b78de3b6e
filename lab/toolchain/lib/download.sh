# shellcheck shell=bash
# Official releases, where they can be reached. Each function returns 1 where it cannot have what it is asked for.

# What is put before host and path: another server with the same paths below its hosts' names, or "none".
downloads=${SPIRE_FEDERATION_DOWNLOADS:-https://}

# how TEXT: said when the unit is done.
how() { printf '%s' "$*" >"$out.how"; }

# download HOST/PATH FILE: a host that gives no answer for 5 s is not asked again in this run.
download() {
  local unreachable=$cache/making/unreachable-${1%%/*} code=0
  [[ $downloads != none && ! -e $unreachable ]] || return 1
  echo "download $downloads$1"
  curl -fsSL --connect-timeout 5 --speed-time 5 --speed-limit 1 -o "$2" "$downloads$1" || code=$?
  ((code == 0 || code == 22)) || touch "$unreachable" # 22: it has answered that there is no such file
  return "$((code != 0))"
}

# download_checked HOST/PATH SUMS FILE: SUMS is beside it and has its SHA-256, alone or before its name. Ends the build when FILE is another.
download_checked() {
  local name=${1##*/} want got
  download "$1" "$3" && download "${1%/*}/$2" "$out.sums" || return 1
  want=$(awk -v name="$name" 'NF == 1 || $2 == name { print $1 }' "$out.sums")
  got=$(sha256sum <"$3")
  [[ -n $want && ${got%% *} == "$want" ]] && return
  echo "$name: its SHA-256 is ${got%% *}, the published one is ${want:-not there}; nothing of it is used"
  exit 1
}

# unpack ARCHIVE FOLDER PATH…: without the folder that PATHs begin with.
unpack() {
  tar -xzf "$1" -C "$2" --transform 's|.*/||' --no-same-owner "${@:3}" && how "downloaded"
}

# official_server NAME VERSION
official_server() {
  download_checked "dl.k8s.io/release/$2/bin/linux/$go_arch/$1" "$1.sha256" "$out.download" || return 1
  install -D -m 755 "$out.download" "$out/bin/$1" && how "downloaded"
}

# official_spire VERSION
official_spire() {
  local name=spire-${1#v}-linux-$go_arch-musl
  download_checked "github.com/spiffe/spire/releases/download/$1/$name.tar.gz" "${name}_sha256sum.txt" "$out.download" || return 1
  mkdir -p "$out/bin"
  unpack "$out.download" "$out/bin" "spire-${1#v}/bin/spire-server" "spire-${1#v}/bin/spire-agent"
}

# official_cli VERSION DESTINATION
official_cli() {
  local archive=pulumi-v$1-linux-${go_arch/amd64/x64}.tar.gz
  download_checked "get.pulumi.com/releases/sdk/$archive" "pulumi-$1-checksums.txt" "$out.download" || return 1
  unpack "$out.download" "$2" pulumi/pulumi{,-language-nodejs,-language-yaml}
}

# official_plugin NAME VERSION DESTINATION; Pulumi publishes no checksums beside these.
official_plugin() {
  download "get.pulumi.com/releases/plugins/pulumi-resource-$1-v$2-linux-$go_arch.tar.gz" "$out.download" || return 1
  unpack "$out.download" "$3" "pulumi-resource-$1"
}
