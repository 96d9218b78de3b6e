# shellcheck shell=bash
# Pulumi's parts from the user's own installation, where that has exactly the version.

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
    # npm's wrapper of the same name, which would download, has no language hosts beside it.
    [[ -x $dir/pulumi && -x $dir/pulumi-language-nodejs && -x $dir/pulumi-language-yaml ]] || continue
    [[ $(PULUMI_SKIP_UPDATE_CHECK=true "$dir/pulumi" version) == "v$1" ]] || continue
    cp "$dir"/pulumi{,-language-nodejs,-language-yaml} "$2" || return
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
