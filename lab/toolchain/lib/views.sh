# shellcheck shell=bash
# What is printed at the end: the units of one checkout, put together by hard links.

# views_ready names the view and the PULUMI_HOME of these units; true if both are there.
views_ready() {
  local name entries=() pulumi=()
  for name in "${units[@]}"; do
    entries+=("${unit_entry[$name]##*/}")
    [[ $name != pulumi* ]] || pulumi+=("${unit_entry[$name]##*/}")
  done
  view=$cache/view/$(key "${entries[@]}")
  pulumi_home=$cache/pulumi/$(key "${pulumi[@]}")
  [[ -d $view && -d $pulumi_home ]]
}

# assemble_views makes the PULUMI_HOME first: the view links to it.
assemble_views() {
  local name home=$cache/making/pulumi-home all=$cache/making/view
  mkdir -p "$home" "$all"
  for name in "${units[@]}"; do
    case $name in
      pulumi*) cp -al "${unit_entry[$name]}/." "$home" ;;
      *) cp -al "${unit_entry[$name]}/." "$all" ;;
    esac
  done
  [[ -d $pulumi_home ]] || mv -T "$home" "$pulumi_home"
  ln -s "../../pulumi/${pulumi_home##*/}" "$all/pulumi"
  [[ -d $view ]] || mv -T "$all" "$view"
}

# mark_used and prune: what no checkout has used for two weeks goes.
mark_used() { touch -c "$view" "$pulumi_home" "${unit_entry[@]}"; }

prune() {
  mark_used
  rm -rf "$cache/making"
  find "$cache"/{store,view,pulumi} -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} +
}
