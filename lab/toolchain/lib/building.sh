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
  local name todo=() ready=0 left=0
  for name in "${units[@]}"; do
    if [[ ! -d ${unit_entry[$name]} ]]; then
      todo+=("$name")
      left=$((left + unit_seconds[$name]))
    fi
  done
  ((${#todo[@]} > 0)) || return 0
  say "${#todo[@]} programs to get, into $cache: about $(minutes $left) on two cores when all are built from source," \
    "less where official releases can be downloaded. This is done once."
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap stop_build EXIT
  for name in "${todo[@]}"; do
    build_unit "$name" "$ready of ${#todo[@]} programs ready" "$left"
    ready=$((ready + 1))
    left=$((left - unit_seconds[$name]))
  done
  trap - EXIT INT TERM HUP
  say "all ${#todo[@]} programs ready after $(minutes $SECONDS)"
}

# progress NAME READY LEFT ELAPSED: LEFT is an estimate, with all of NAME in it.
progress() {
  local name=$1 ready=$2 left=$3 elapsed=$4 late=
  if ((elapsed > unit_seconds[$name])); then
    elapsed=${unit_seconds[$name]}
    late=" (longer than estimated)"
  fi
  say "$ready, now $name$late, about $(minutes $((left - elapsed))) left"
}

building=
stop_build() {
  [[ -z $building ]] || kill -TERM -- "-$building" 2>/dev/null || true
}

# build_unit NAME READY LEFT: the last two for progress.
build_unit() {
  local name=$1 ready=$2 left=$3 module=lab/${unit_module[$1]}/go.mod log=$cache/log/$1.log
  local start=$SECONDS failed=0
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
  follow "$building" progress "$name" "$ready" "$left"
  wait "$building" || failed=1
  building=
  ((failed == 0)) || fail "$name: the build from $module failed after $((SECONDS - start)) s; what was finished is kept," \
    "the next run goes on here. Last lines of $log:
$(tail -n 20 "$log" | sed 's/^/  | /')"
  [[ ! -f $out.how ]] || say "$name: $(<"$out.how")"
  mv -T "$out" "${unit_entry[$name]}"
}
