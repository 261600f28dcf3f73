# Thin over script/: where there is no make, `sh script/NAME` does the same.
.PHONY: setup check test demo run bench-main
setup check test demo run bench-main:
	@sh script/$@
