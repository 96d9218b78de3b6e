# shellcheck shell=bash
# Units are built in two lanes, and each is moved into the store when it is whole.

# lock_cache lets one build at a time write. Builds inherit the lock, so what a killed
# run leaves running is waited for, too.
lock_cache() {
  exec 9>"$cache/lock"
  flock -n 9 || { say "another build is at work in $cache: waiting for it"; flock 9; }
  rm -rf "$cache/making"
  mkdir -p "$cache"/{store,view,pulumi,making,log}
}

# Two lanes side by side, since linking keeps one core alone busy: the lab's own module, whose units share most of what is
# compiled, and all others.
build_missing() {
  local name lane todo=() own=() others=() left=0
  for name in "${units[@]}"; do
    [[ ! -d ${unit_entry[$name]} ]] || continue
    todo+=("$name")
    left=$((left + ${unit_seconds[$name]}))
    if [[ ${unit_module[$name]} == . ]]; then own+=("$name"); else others+=("$name"); fi
  done
  ((${#todo[@]} > 0)) || return 0
  say "${#todo[@]} programs to get, into $cache: about $(minutes $left) on two cores when all are built from source," \
    "less where official releases can be downloaded. This is done once."
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap stop_lanes EXIT
  set -m # each lane in a process group of its own, so that all of it can be ended
  build_lane "${own[@]}" </dev/null &
  lanes=("$!")
  build_lane "${others[@]}" </dev/null &
  lanes+=("$!")
  set +m
  while ((${#lanes[@]} > 0)); do
    for lane in "${!lanes[@]}"; do
      kill -0 "${lanes[lane]}" 2>/dev/null && continue
      wait "${lanes[lane]}" || exit 1
      unset "lanes[lane]"
    done
    progress "${todo[@]}"
    sleep 0.1
  done
  trap - EXIT INT TERM HUP
  say "all ${#todo[@]} programs ready after $(minutes $SECONDS)"
}

# progress NAME…: a line every 15 s. What is left is an estimate.
said=-15
progress() {
  local name ready=0 left=0 now=()
  ((SECONDS - said >= 15)) || return 0
  said=$SECONDS
  for name in "$@"; do
    if [[ -d ${unit_entry[$name]} ]]; then
      ready=$((ready + 1))
      continue
    fi
    left=$((left + ${unit_seconds[$name]}))
    [[ ! -d $cache/making/$name ]] || now+=("$name")
  done
  say "$ready of $# programs ready, now ${now[*]:-starting}, about $(minutes $left) left"
}

lanes=()
stop_lanes() {
  local lane
  for lane in "${lanes[@]}"; do kill -TERM -- "-$lane" 2>/dev/null || true; done
}

# build_lane NAME…: one after the other, up to the first that fails.
build_lane() {
  local name
  set +m
  for name in "$@"; do build_unit "$name"; done
}

build_unit() {
  local name=$1 module=lab/${unit_module[$1]}/go.mod log=$cache/log/$1.log start=$SECONDS
  module=${module/\/.\//\/}
  out=$cache/making/$name
  mkdir "$out"
  (eval "${unit_recipe[$name]}") >"$log" 2>&1 & # not in a condition, where `set -e` would be off
  wait "$!" || fail "$name: the build from $module failed after $((SECONDS - start)) s; what was finished is kept," \
      "the next run goes on here. Last lines of $log:
$(tail -n 20 "$log" | sed 's/^/  | /')"
  [[ ! -f $out.how ]] || say "$name: $(<"$out.how")"
  mv -T "$out" "${unit_entry[$name]}"
}
