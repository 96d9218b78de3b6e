# shellcheck shell=bash
# What is built, and how. Versions are those of the go.mod files; of Pulumi's plugins those of
# package.json (a test compares them).

pulumi_version=3.276.0
kubernetes_plugin_version=4.25.0
command_plugin_version=1.2.1
random_plugin_version=4.21.2

small="-s -w" # no symbol tables: half the size

# list_units: each with the seconds that it takes on two cores where all of it is built, after those before it.
list_units() {
  local name kube kube_module kube_version=k8s.io/component-base/version spire
  kube_module=$(kubernetes_module)
  kube=$(version_of "$kube_module" k8s.io/kubernetes)
  spire=$(version_of toolchain/spire github.com/spiffe/spire)
  # A server that calls itself v0.0.0 makes OLM refuse every operator with a minKubeVersion.
  local kube_flags="$small -X $kube_version.gitVersion=$kube -X $kube_version.gitMajor=1 -X $kube_version.gitMinor=${kube:3:2}"
  unit kube-apiserver 420 "$kube_module" -- kubernetes_server kube-apiserver "$kube_module" "$kube" "$kube_flags"
  unit kube-controller-manager 60 "$kube_module" -- kubernetes_server kube-controller-manager "$kube_module" "$kube" "$kube_flags"
  unit kube-scheduler 20 "$kube_module" -- kubernetes_server kube-scheduler "$kube_module" "$kube" "$kube_flags"
  unit etcd 20 . -- go_program etcd . go.etcd.io/etcd/server/v3
  unit spire-controller-manager 20 . -- go_program spire-controller-manager . github.com/spiffe/spire-controller-manager/cmd
  for name in olm catalog; do
    unit "$name" 30 . -- go_program "$name" . "github.com/operator-framework/operator-lifecycle-manager/cmd/$name"
  done
  unit crds 5 toolchain/crds go.mod go.sum -- crds
  unit spire 300 toolchain/spire -- spire "$spire"
  older_spire_unit

  unit node 1 . -- machine_node "$(node --version)"
  unit pebble 10 toolchain/pebble toolchain/pebble -- go_program pebble toolchain/pebble .

  unit pulumi 270 toolchain/pulumi toolchain/language-nodejs toolchain/language-yaml -- pulumi_cli "$pulumi_version"
  unit pulumi-resource-kubernetes 400 toolchain/kubernetes-plugin toolchain/kubernetes-plugin -- \
    pulumi_plugin kubernetes "$kubernetes_plugin_version" kubernetes_plugin
  unit pulumi-resource-command 20 plugins plugins -- pulumi_plugin command "$command_plugin_version" standin_plugin
  unit pulumi-resource-random 5 plugins plugins -- pulumi_plugin random "$random_plugin_version" standin_plugin

  unit cert-manager 60 . cmd/cert-manager -- go_program cert-manager . ./cmd/cert-manager
  unit probe 10 . cmd/probe -- go_program probe . ./cmd/probe
  for name in lab lab-cluster lab-standin; do
    unit "$name" 20 . "cmd/$name" internal manifests -- go_program "$name" . "./cmd/$name"
  done
}

# version_of MODULE PATH: the version of a module that MODULE requires.
version_of() {
  awk -v path="$2" '$1 == path { print $2 }' "$1/go.mod"
}

# go_program NAME MODULE PACKAGE [FLAG…]
go_program() {
  go_build "$out/bin/$1" "${@:2}"
}

# go_build FILE MODULE PACKAGE [FLAG…]: a later -ldflags wins over the one given here. Without the checkout's path, as in test/run:
# packages that are compiled with another set of flags compile again, Go's own included.
go_build() {
  (cd "$2" && go build -trimpath -ldflags "$small" "${@:4}" -o "$1" "$3")
}

# kubernetes_module: the folder that pins Kubernetes, which is the lab's own without $LAB_KUBERNETES.
kubernetes_module() {
  local minor=${LAB_KUBERNETES:-} others=(toolchain/kubernetes-*)
  [[ -z $minor || -f toolchain/kubernetes-$minor/go.mod ]] ||
    fail "LAB_KUBERNETES is $minor: it can be ${others[*]#toolchain/kubernetes-}, or unset for the lab's own"
  echo "${minor:+toolchain/kubernetes-}${minor:-.}"
}

# kubernetes_server NAME MODULE VERSION LDFLAGS
kubernetes_server() {
  official_server "$1" "$3" || go_program "$1" "$2" "k8s.io/kubernetes/cmd/$1" -ldflags "$4"
}

# spire VERSION
spire() {
  local name
  official_spire "$1" && return
  for name in spire-server spire-agent; do
    go_program "$name" toolchain/spire "github.com/spiffe/spire/cmd/$name"
  done
}

# older_spire_unit: what ZTWIM 1.0 runs with $LAB_SPIRE, beside the lab's own.
older_spire_unit() {
  local module=toolchain/spire-1.13
  case ${LAB_SPIRE:-} in
    "") ;;
    1.13) unit spire-1.13 300 "$module" "$module" -- older_spire "$(version_of "$module" github.com/spiffe/spire)" ;;
    *) fail "LAB_SPIRE is $LAB_SPIRE: it can be 1.13, or unset for the lab's own" ;;
  esac
}

# older_spire VERSION: with the rows for `lab up --images`.
older_spire() {
  local name
  official_spire "$1" ||
    for name in spire-server spire-agent; do
      go_program "$name" toolchain/spire-1.13 "github.com/spiffe/spire/cmd/$name"
    done
  mv "$out/bin" "$out/spire-1.13"
  cp toolchain/spire-1.13/images.yaml "$out/spire-1.13"
}

# source_of MODULE PATH: the folder with the sources of a module that MODULE requires.
source_of() {
  (cd "$1" && go mod download -json "$2") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}

# machine_node: what is in an image of Node. Not by its own name, since commands in the lab have these programs in their PATH.
machine_node() {
  mkdir -p "$out/bin"
  cp "$(node -p process.execPath)" "$out/bin/container-node"
}

crds() {
  local api=zz_generated.crd-manifests
  copy_crds openshift toolchain/crds github.com/openshift/api \
    "route/v1/$api/routes.crd.yaml" "config/v1/$api/0000_10_config-operator_01_ingresses.crd.yaml" \
    "config/v1/$api/0000_00_cluster-version-operator_01_clusterversions-Default.crd.yaml" \
    "security/v1/$api/0000_03_config-operator_01_securitycontextconstraints.crd.yaml"
  copy_crds olm . github.com/operator-framework/api 'crds/*.yaml'
  copy_crds cert-manager . github.com/cert-manager/cert-manager 'deploy/crds/*.yaml'
  copy_crds spire . github.com/spiffe/spire-controller-manager 'config/crd/bases/spire.spiffe.io_cluster*.yaml'
}

# copy_crds FOLDER MODULE PATH PATTERN…
copy_crds() {
  local from pattern
  from=$(source_of "$2" "$3")
  mkdir -p "$out/crds/$1"
  for pattern in "${@:4}"; do
    # shellcheck disable=SC2086 # the pattern is there to be expanded
    install -m 644 -t "$out/crds/$1" "$from"/$pattern
  done
}

# pulumi_cli VERSION: where the npm package and the Automation API look for it, the language hosts beside it.
pulumi_cli() {
  local bin=$out/versions/$1/bin
  mkdir -p "$bin"
  installed_cli "$1" "$bin" || official_cli "$1" "$bin" || build_cli "$1" "$bin"
}

build_cli() {
  go_build "$2/pulumi" toolchain/pulumi github.com/pulumi/pulumi/pkg/v3/cmd/pulumi \
    -ldflags "$small -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$1"
  go_build "$2/pulumi-language-nodejs" toolchain/language-nodejs github.com/pulumi/pulumi/sdk/nodejs/cmd/pulumi-language-nodejs/v3
  go_build "$2/pulumi-language-yaml" toolchain/language-yaml github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml
  how "built from source"
}

# pulumi_plugin NAME VERSION BUILD
pulumi_plugin() {
  local dir=$out/plugins/resource-$1-v$2
  mkdir -p "$dir"
  installed_plugin "$1" "$2" "$dir" || official_plugin "$1" "$2" "$dir" || "$3" "$1" "$2" "$dir/pulumi-resource-$1"
}

standin_plugin() {
  go_build "$3" plugins "./cmd/pulumi-resource-$1"
  how "the lab's stand-in, as the real plugin cannot be downloaded here"
}

# kubernetes_plugin NAME VERSION FILE: in a copy, since the embedded schema is made here.
kubernetes_plugin() {
  local from copy=$out.src module=github.com/pulumi/pulumi-kubernetes/provider/v4
  from=$(source_of toolchain/kubernetes-plugin "$module")
  cp -r toolchain/kubernetes-plugin "$copy"
  sed "1s/{/{\"version\":\"$2\",/" "$from/cmd/pulumi-resource-kubernetes/schema.json" >"$copy/schema.json"
  go_build "$3" "$copy" . -ldflags "$small -X $module/pkg/version.Version=$2"
  how "built from source"
}
