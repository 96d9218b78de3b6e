# shellcheck shell=bash
# One unit after the other (Go uses all cores by itself), each moved into the store when it is whole.

# lock_cache lets one build at a time write. Builds inherit the lock, so what a killed
# run leaves running is waited for, too.
lock_cache() {
  exec 9>"$cache/lock"
  flock -n 9 || { say "another build is at work in $cache: waiting for it"; flock 9; }
  rm -rf "$cache/making"
  mkdir -p "$cache"/{store,view,pulumi,making,log}
}

build_missing() {
  local name todo=() i note=
  for name in "${units[@]}"; do
    [[ -d ${unit_entry[$name]} ]] || todo+=("$name")
  done
  ((${#todo[@]} > 0)) || return 0
  ((${#todo[@]} < ${#units[@]})) || note="; on two cores the first time takes up to half an hour"
  say "${#todo[@]} of ${#units[@]} to build into $cache$note"
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap stop_build EXIT
  for i in "${!todo[@]}"; do
    build_unit "${todo[i]}" $((${#todo[@]} - i - 1))
  done
  trap - EXIT INT TERM HUP
  say "all built in $SECONDS s"
}

building=
stop_build() {
  [[ -z $building ]] || kill -TERM -- "-$building" 2>/dev/null || true
}

# build_unit NAME LEFT: LEFT is how many come after it.
build_unit() {
  local name=$1 left=$2 module=lab/${unit_module[$1]}/go.mod log=$cache/log/$1.log
  local start=$SECONDS failed=0 how=
  module=${module/\/.\//\/}
  out=$cache/making/$name
  mkdir "$out"
  set -m # a process group of its own, so that all of it can be ended
  (
    set +m
    eval "${unit_recipe[$name]}"
  ) >"$log" 2>&1 </dev/null &
  building=$!
  set +m
  follow "$building" "$name, $left more after it"
  wait "$building" || failed=1
  building=
  ((failed == 0)) || fail "$name: the build from $module failed after $((SECONDS - start)) s; what was finished is kept," \
    "the next run goes on here. Last lines of $log:
$(tail -n 20 "$log" | sed 's/^/  | /')"
  [[ ! -f $out.how ]] || how=", $(<"$out.how")"
  mv -T "$out" "${unit_entry[$name]}"
  say "$name: $((SECONDS - start)) s$how, $left left"
}
