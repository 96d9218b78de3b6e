.DEFAULT_GOAL := help
.PHONY: help build demo demo-steps test test-live test-all check unit mutants bench soak outdated lab-up lab-shell lab-down

build: dist/built ## make dist/, which is what runs, from the sources

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: demo-steps dist/built ## federate two clusters for real, on this machine, and prove it
	@echo 'demo: step 2 of 4, programs'
	@lab/toolchain/build >/dev/null
	@echo 'demo: step 3 of 4, clusters'
	lab/lab up --clusters 2
	@echo 'demo: step 4 of 4, federation and proof'
	lab/lab exec -- npm run --silent demo

demo-steps:
	@echo 'demo: two clusters that look like OpenShift, on this machine alone; Pulumi federates them, and workloads prove it'
	@echo 'demo: on two cores: npm packages, half a minute; programs, up to half an hour the first time (later: none);'
	@echo 'demo: clusters, one minute; federation and proof, two minutes'
	@echo 'demo: step 1 of 4, npm packages'

test: ## what needs no cluster: format, lint, types, unit tests, vet and tests of the lab's Go
	test/run quick

test-live: ## the main job and its edges, on a lab of three clusters
	test/run live

test-all: ## everything
	test/run all

check: node_modules/.package-lock.json ## format, lint, types
	npm run --silent check

unit: dist/built ## unit tests with coverage; needs no lab
	-test/chromium --install
	npm test

mutants: node_modules/.package-lock.json ## which of 100 small faults no unit test finds; one to two hours
	npm run --silent mutants

bench: dist/built ## what federating takes by hand and by this project, and how the command grows with the members
	npm run --silent bench:federation
	npm run --silent bench:load
	npm run --silent bench:peers
	home=$$(lab/toolchain/build)/pulumi && PULUMI_HOME=$$home PULUMI_VERSION=$$(ls $$home/versions) npm run --silent bench:members

lab-up: dist/built ## two empty clusters, without the demo
	lab/lab up

lab-shell: ## a shell inside the running lab: kubectl contexts cluster1 and cluster2
	lab/lab shell

lab-down: ## end the lab and everything in it
	lab/lab down

soak: dist/built ## an hour of everything that can happen, on a lab of three clusters whose keys live for minutes
	npm run --silent soak

outdated: node_modules/.package-lock.json ## which packages have newer versions
	-npm outdated

dist/built: node_modules/.package-lock.json build.mjs index.ts $(shell find components deploy mesh plugin policy stacks -type f)
	npm run --silent build

node_modules/.package-lock.json: package.json package-lock.json
	npm ci
	touch $@
