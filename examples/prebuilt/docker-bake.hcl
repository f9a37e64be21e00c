variable "DEPS_IMAGE" {
  description = "The image of --target deps, by digest"
}

variable "BASES" {
  description = "One image is made for each"
  default     = ["debian:trixie-slim", "alpine:3.22"]
}

target "default" {
  name       = "runtime-${replace(replace(base, ":", "-"), ".", "-")}"
  matrix     = { base = BASES }
  dockerfile = "openhands.yaml"
  args = {
    BASE_IMAGE = base
    DEPS_IMAGE = DEPS_IMAGE
  }
  tags = ["registry.example.com/runtime:${replace(base, ":", "-")}"]
}
