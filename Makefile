# What `sam build` runs. SAM's own method for Rust can build dynamic executables alone; this one is static, as
# `package.metadata.lambda.build` in Cargo.toml says.
build-Function:
	cargo lambda build --release --bin bifold --lambda-dir "$(ARTIFACTS_DIR)" --flatten bifold
