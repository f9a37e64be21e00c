# The frontend image, and the stages that check its source. docker-bake.hcl
# names the targets: `docker buildx bake frontend` builds the image.
ARG GO_VERSION=1.26
# The linter's only pin: the Makefile reads it from here.
ARG GOLANGCI_LINT_VERSION=v2.15.0
# The pin of the tool that looks for known vulnerabilities, read by the Makefile too.
ARG GOVULNCHECK_VERSION=v1.9.0
# What the frontend reports, and its image's labels say; docker-bake.hcl sets both.
ARG VERSION=dev REVISION=unknown

# Go modules come from here first. It is empty; who builds without a route to a
# module proxy, or behind one with a private CA, replaces it by a download cache:
#   --build-context gomod="$(go env GOMODCACHE)/cache/download"
FROM scratch AS gomod

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS base
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./

# Every user of a syntax line downloads the programs, so they are made small. Without
# inlining (-l) each is a tenth smaller and no slower: it runs for milliseconds, in
# which what counts is how much of it is read, or waits for networks and disks.
FROM base AS build
COPY llb llb
COPY frontend frontend
ARG TARGETOS TARGETARCH
# A helper's bytes are part of the cache key of every deps image. They carry no
# version, path or build id, so that they change only when their code or the
# compiler does. oh-seal runs on the machine that builds; oh-init runs in images,
# so it is there for all their architectures, in the tree that they get. oh-seal
# speaks HTTP/1.1, and nethttpomithttp2 leaves out the other one.
RUN --mount=from=gomod,target=/gomod \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    export GOPROXY="file:///gomod,$(go env GOPROXY)" GOOS="$TARGETOS" && \
    build() { go build -tags=nethttpomithttp2 -gcflags=all=-l -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o "$1" "$2"; } && \
    GOARCH="$TARGETARCH" build /out/helpers/oh-seal ./frontend/cmd/oh-seal && \
    for arch in amd64 arm64; do \
      bin="/out/runtime/$arch/openhands/bin" && \
      GOARCH="$arch" build "$bin/oh-init" ./frontend/cmd/oh-init && \
      ln -s oh-init "$bin/oh-check" && \
      install -D -m 644 frontend/cmd/oh-init/licences.txt "${bin%/bin}/doc/oh-init/copyright" || exit 1; \
    done
# Symlinks for engines that cannot make them: see LinksDir in llb/fillins.go.
RUN for target in openhands/tools/bash openhands/tools/env openhands/ld-linux-oh.so openhands/agent-server; do \
      mkdir -p "/out/links/${target%/*}" && ln -s "/$target" "/out/links/$target" || exit 1; \
    done
ARG VERSION REVISION
# grpcnotrace leaves out gRPC's debug pages: their templates call methods by name, for
# which the linker keeps every method of every type, a fifth of the frontend. purego
# and noasm leave out assembly and tables for TLS and zstd, which it only links. The
# names of OpenTelemetry are constants where they are inlined, else code that runs at
# each start.
RUN --mount=from=gomod,target=/gomod \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    export GOPROXY="file:///gomod,$(go env GOPROXY)" GOOS="$TARGETOS" GOARCH="$TARGETARCH" && \
    go build -tags=grpcnotrace,purego,noasm -gcflags=all=-l -gcflags="go.opentelemetry.io/otel/...=" \
      -trimpath -buildvcs=false \
      -ldflags="-s -w -buildid= -X main.version=$VERSION -X main.revision=$REVISION" \
      -o /out/bin/openhands-frontend ./frontend/cmd/openhands-frontend
# What comes from a cache may be older than the commit, whose time only makes younger
# files older: so all have the same.
COPY LICENSE ./
RUN install -D -m 644 -t /out/licences LICENSE frontend/cmd/openhands-frontend/licences.txt && \
    find /out -exec touch -h -d @0 {} +

FROM base AS test
COPY . .
RUN --mount=from=gomod,target=/gomod \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    export GOPROXY="file:///gomod,$(go env GOPROXY)" && go vet ./... && go test ./...

FROM --platform=$BUILDPLATFORM golangci/golangci-lint:${GOLANGCI_LINT_VERSION} AS lint
WORKDIR /src
COPY . .
RUN --mount=from=gomod,target=/gomod \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache \
    export GOPROXY="file:///gomod,$(go env GOPROXY)" && golangci-lint config verify && golangci-lint run

FROM scratch AS frontend
ARG VERSION REVISION
LABEL org.opencontainers.image.title="OpenHands LLB frontend" \
      org.opencontainers.image.source="https://github.com/openhands/llb-frontend" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# What BuildKit reads before it starts a frontend: no network for it, and what it
# can do with inputs, named contexts, subrequests and git URLs with a query.
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring"
COPY --from=build /out/ /
ENTRYPOINT ["/bin/openhands-frontend"]
