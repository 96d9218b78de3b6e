# shellcheck shell=bash
# Pulumi's own parts: taken from the user's installation if that has exactly the version,
# else downloaded from Pulumi, else built. Each function returns 1 where its way is not open.

pulumi_releases=${PULUMI_RELEASES:-https://get.pulumi.com/releases}

# how TEXT: said when the unit is done.
how() { printf '%s' "$*" >"$out.how"; }

# user_home prints the user's own PULUMI_HOME; ours, set in the lab's shell, is none.
user_home() {
  local home
  home=$(cd "${PULUMI_HOME:-$HOME/.pulumi}" 2>/dev/null && pwd -P) || return 1
  [[ $home/ != "$cache"/* ]] && printf '%s' "$home"
}

# installed_cli VERSION DESTINATION
installed_cli() {
  local home dir dirs=()
  home=$(user_home) && dirs=("$home/versions/$1/bin" "$home/bin")
  dirs+=("$(dirname "$(command -v pulumi || echo /none)")")
  for dir in "${dirs[@]}"; do
    # npm's wrapper of the same name, which would download, has no language host beside it.
    [[ -x $dir/pulumi && -x $dir/pulumi-language-nodejs ]] || continue
    [[ $(PULUMI_SKIP_UPDATE_CHECK=true "$dir/pulumi" version) == "v$1" ]] || continue
    cp "$dir/pulumi" "$dir/pulumi-language-nodejs" "$2" || return
    how "copied from $dir"
    return
  done
  return 1
}

# installed_plugin NAME VERSION DESTINATION
installed_plugin() {
  local home dir
  home=$(user_home) || return 1
  dir=$home/plugins/resource-$1-v$2
  [[ -x $dir/pulumi-resource-$1 && ! -e $dir.lock && ! -e $dir.partial ]] || return 1
  cp "$dir/pulumi-resource-$1" "$3" || return
  how "copied from $dir"
}

# official_cli VERSION DESTINATION
official_cli() {
  local archive=pulumi-v$1-linux-${go_arch/amd64/x64}.tar.gz sums=$out.sums
  download "sdk/$archive" "$out.tar.gz" && download "sdk/pulumi-$1-checksums.txt" "$sums" || return 1
  published "$archive" "$out.tar.gz" "$sums"
  tar -xzf "$out.tar.gz" -C "$2" --strip-components=1 --no-same-owner pulumi/pulumi pulumi/pulumi-language-nodejs || return
  how "downloaded"
}

# official_plugin NAME VERSION DESTINATION; Pulumi publishes no checksums beside these.
official_plugin() {
  download "plugins/pulumi-resource-$1-v$2-linux-$go_arch.tar.gz" "$out.tar.gz" || return 1
  tar -xzf "$out.tar.gz" -C "$3" --no-same-owner "pulumi-resource-$1" || return
  how "downloaded"
}

# download PATH FILE: gives up after 5 s without an answer, and once given up, on the rest of this run.
download() {
  [[ ! -e $cache/making/unreachable ]] || return 1
  echo "download $pulumi_releases/$1"
  curl -fsSL --connect-timeout 5 --speed-time 5 --speed-limit 1 -o "$2" "$pulumi_releases/$1" && return
  touch "$cache/making/unreachable"
  return 1
}

# published ARCHIVE FILE SUMS: ends the build if FILE is not what SUMS says ARCHIVE is.
published() {
  local want got
  want=$(awk -v name="$1" '$2 == name { print $1 }' "$3")
  got=$(sha256sum <"$2")
  [[ -n $want && ${got%% *} == "$want" ]] && return
  echo "$1: its SHA-256 is ${got%% *}, Pulumi's published one is ${want:-not there}; nothing of it is used"
  exit 1
}
