variable "IMAGE" {
  description = "Where the frontend image goes"
  default     = "ghcr.io/openhands/llb-frontend:1"
}

variable "VERSION" {
  description = "Version that the frontend reports"
  default     = "dev"
}

variable "REVISION" {
  description = "Commit that the frontend reports"
  default     = "unknown"
}

variable "EXAMPLES" {
  description = "Directories below examples/"
  default     = ["minimal", "alpine", "full", "server", "server-alpine", "distroless", "own-toolchain"]
}

group "default" {
  targets = ["frontend"]
}

group "validate" {
  targets = ["lint", "test"]
}

target "frontend" {
  target = "frontend"
  tags   = [IMAGE]
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
}

target "frontend-cross" {
  inherits  = ["frontend"]
  platforms = ["linux/amd64", "linux/arm64"]
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
