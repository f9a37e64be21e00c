# One image for each base, each for all platforms, with one /openhands in all of
# them: the target deps is built once, and every image takes its layers.
#
#   docker buildx bake --push

variable "REPOSITORY" {
  description = "Where the images go"
  default     = "registry.example.com/runtime"
}

variable "VERSION" {
  description = "First part of the tags"
  default     = "1"
}

variable "BASES" {
  description = "One image is made for each"
  default     = ["debian:trixie-slim", "alpine:3.22"]
}

variable "PLATFORMS" {
  description = "Nothing is emulated: /openhands for arm64 is made on amd64 too"
  default     = ["linux/amd64", "linux/arm64"]
}

# debian:trixie-slim -> debian-trixie-slim, for names of targets and tags
function "slug" {
  params = [image]
  result = regex_replace(image, "[^a-zA-Z0-9]+", "-")
}

group "default" {
  targets = ["runtime"]
}

target "common" {
  dockerfile = "openhands.yaml"
  platforms  = PLATFORMS
}

target "deps" {
  inherits = ["common"]
  target   = "deps"
}

target "runtime" {
  name     = "runtime-${slug(base)}"
  inherits = ["common"]
  matrix   = { base = BASES }
  contexts = { deps = "target:deps" }
  args = {
    BASE_IMAGE = base
    DEPS_IMAGE = "deps"
  }
  tags = ["${REPOSITORY}:${VERSION}-${slug(base)}"]
}
