# shellcheck shell=bash
# A unit is what is built, keyed, kept and failed as one: most often one program.

units=() # names, in the order of building
declare -A unit_entry unit_seconds unit_module unit_recipe digests

# unit NAME SECONDS MODULE [SOURCE…] -- COMMAND…
# SECONDS is about how long it takes. MODULE is the folder whose go.mod and go.sum pin what the unit is made from, SOURCE our own
# files and folders. COMMAND is run in a subshell and leaves its files below $out.
unit() {
  local name=$1 module=$3
  unit_seconds[$name]=$2
  shift 3
  local files=("$module/go.mod" "$module/go.sum")
  while [[ $1 != -- ]]; do
    files+=("$1")
    shift
  done
  shift
  [[ -v digests[${files[*]}] ]] || digests[${files[*]}]=$(digest "${files[@]}")
  units+=("$name")
  unit_module[$name]=$module
  unit_recipe[$name]=${*@Q}
  unit_entry[$name]=$cache/store/$name-$(key "$go_version $go_arch" "$(recipe_text "$@")" "${digests[${files[*]}]}")
}

# recipe_text prints a command with the functions it names, all of which decide what comes out.
recipe_text() {
  local word
  printf '%s\n' "${*@Q}"
  for word in go_build "$@"; do
    declare -f -- "$word" || true
  done
}

digest() {
  find "$@" -type f ! -name '*_test.go' ! -name '*.md' -print0 | sort -z | xargs -0 sha256sum
}

key() {
  local sum
  sum=$(printf '%s\n' "$@" | sha256sum)
  printf '%s' "${sum:0:16}"
}
