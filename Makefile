.DEFAULT_GOAL := help
.PHONY: help demo test check unit bench lab-up lab-shell lab-down

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: node_modules/.package-lock.json ## federate two clusters for real, on this machine, and prove it
	lab/lab up --clusters 2
	lab/lab exec -- node --require ./stacks/loader.js lab/demo/demo.ts

test: ## everything: types, lint, unit tests, the lab's own tests, live tests on the lab
	test/run

check: node_modules/.package-lock.json ## format, lint, types
	npm run --silent check

unit: node_modules/.package-lock.json ## unit tests with coverage; needs no lab
	-test/chromium --install
	npm test

bench: node_modules/.package-lock.json ## time and memory of the command for 2, 10 and 50 members, on simulated clusters
	PULUMI_HOME=$$(lab/toolchain/build)/pulumi npm run --silent bench:members

lab-up: node_modules/.package-lock.json ## two empty clusters, without the demo
	lab/lab up

lab-shell: ## a shell inside the running lab: kubectl contexts cluster1 and cluster2
	lab/lab shell

lab-down: ## end the lab and everything in it
	lab/lab down

node_modules/.package-lock.json: package.json package-lock.json
	test/packages
