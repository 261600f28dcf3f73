# Thin over script/: where there is no make, `sh script/NAME` does the same.
.PHONY: setup check test demo run bench-main bench-recording bench-sync soak soak-sources fuzz-sync burst-sync endure-sftp growth
setup check test demo run bench-main bench-recording bench-sync soak soak-sources fuzz-sync burst-sync endure-sftp growth:
	@sh script/$@
