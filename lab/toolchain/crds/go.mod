module spire-federation/toolchain/crds

go 1.25

require github.com/openshift/api v0.0.0-20260406193844-f50e695cb194
