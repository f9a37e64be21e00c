variable "IMAGE" {
  description = "Where the frontend image goes, without a tag: those come from VERSION"
  default     = "ghcr.io/openhands/llb-frontend"
}

# The one place of the version: the image's tags and label, and what the frontend
# reports, are made of it.
variable "VERSION" {
  description = "Version of the frontend (semver.org)"
  default     = "1.0.0"
}

variable "REVISION" {
  description = "Commit that the frontend reports"
  default     = "unknown"
}

variable "EXAMPLES" {
  description = "Directories below examples/"
  default     = ["minimal", "alpine", "full", "server", "server-alpine", "distroless", "own-toolchain"]
}

# A release moves the tags of its minor and major version; a pre-release, or a
# name such as "dev", has a tag of its own alone.
function "tags" {
  params = [image, version]
  result = [
    for parts in can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", version)) ? [3, 2, 1] : [0] :
    "${image}:${parts == 0 ? version : join(".", slice(split(".", version), 0, parts))}"
  ]
}

group "default" {
  targets = ["frontend"]
}

group "validate" {
  targets = ["lint", "test"]
}

target "frontend" {
  target = "frontend"
  tags   = tags(IMAGE, VERSION)
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
}

target "frontend-cross" {
  inherits  = ["frontend"]
  platforms = ["linux/amd64", "linux/arm64"]
}

# A release: for both platforms, with an SBOM and the whole provenance beside it.
target "release" {
  inherits = ["frontend-cross"]
  attest   = ["type=provenance,mode=max", "type=sbom"]
}

# Every example, built with the frontend of this checkout in place of the
# released one that its syntax line names.
target "examples" {
  name       = "example-${example}"
  matrix     = { example = EXAMPLES }
  context    = "examples/${example}"
  dockerfile = "openhands.yaml"
  contexts   = { frontend = "target:frontend" }
  args       = { BUILDKIT_SYNTAX = "frontend" }
  tags       = ["openhands-example-${example}"]
}

target "lint" {
  target = "lint"
  output = ["type=cacheonly"]
}

target "test" {
  target = "test"
  output = ["type=cacheonly"]
}
