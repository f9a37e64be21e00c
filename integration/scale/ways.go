package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// way is one way to put /openhands on a base.
type way struct {
	name string // in flags and results
	text string // for people
	// file is the spec or the Dockerfile: %[1]s is the frontend's image, %[2]s the
	// deps image. The base is the build argument BASE_IMAGE.
	file string
	// hasUser wants bases that have the user openhands.
	hasUser bool
	// code wants a deps image without the server's code, and a checkout of it.
	code bool
	// lock wants a lock that knows all bases beside the spec.
	lock bool
}

const (
	specFile = `# syntax=%[1]s
args: {BASE_IMAGE: scratch}
base_image: ${BASE_IMAGE}
deps_image: %[2]s
`
	stages = `ARG BASE_IMAGE=scratch
FROM %[2]s AS deps
FROM ${BASE_IMAGE}
`
	// environment is that of the proof of concept's image.
	environment = `ENV PATH=/openhands/bin:$PATH \
    LD_LIBRARY_PATH=/openhands/lib:$LD_LIBRARY_PATH \
    POETRY_VIRTUALENVS_PATH=/openhands/poetry \
    MAMBA_ROOT_PREFIX=/openhands/micromamba \
    LANG=C.UTF-8 \
    LC_ALL=C.UTF-8 \
    EDITOR=code \
    VISUAL=code \
    GIT_EDITOR="code --wait" \
    OPENVSCODE_SERVER_ROOT=/openhands/.openvscode-server \
    PLAYWRIGHT_BROWSERS_PATH=/openhands/browser/ms-playwright
`
	// addUser is the proof of concept's, up to what it owns.
	addUser = `RUN if ! id -u openhands > /dev/null 2>&1; then \
        groupadd -g 1000 openhands || true && \
        useradd -u 1000 -g 1000 -m -s /bin/bash openhands || true; \
    fi && \
    mkdir -p /workspace && \
    chown -R openhands:openhands /workspace`
	// linkCopy is the last line of a Dockerfile, so that nothing reads what it makes.
	linkCopy = "COPY --link --chown=1000:1000 --from=deps /openhands /openhands\n"
)

// ways are all of them, those of this frontend first.
func ways() []way {
	return []way{
		{name: "root", text: "frontend, `user: root`", file: specFile + "user: root\n"},
		{name: "user", text: "frontend, user `openhands`", file: specFile + "user: openhands\n"},
		{name: "start", text: "frontend, user `openhands`, `create: start`", file: specFile + "user: {name: openhands, create: start}\n"},
		{name: "lock", text: "frontend, user `openhands`, bases that a lock knows", file: specFile + "user: openhands\n", lock: true},
		{name: "poc", text: "Dockerfile of the proof of concept: `COPY`, `useradd`, `chown -R`",
			file: stages + "COPY --from=deps /openhands /openhands\n" + environment + addUser + " /openhands\nWORKDIR /workspace\n"},
		{name: "link", text: "Dockerfile, `COPY --link --chown` alone: no user, home or workspace",
			file: stages + environment + linkCopy},
		{name: "link-user", text: "Dockerfile, `useradd`, then `COPY --link --chown`",
			file: stages + environment + addUser + "\nWORKDIR /workspace\n" + linkCopy},
		{name: "assembly", text: "OpenHands' assembly: `COPY --chown` onto a base that has the user", hasUser: true,
			file: strings.ReplaceAll(stages, "AS deps", "AS builder") + "ARG USERNAME=openhands\n" +
				"COPY --chown=${USERNAME}:${USERNAME} --from=builder /openhands /openhands\n" +
				"USER ${USERNAME}\nENTRYPOINT [\"/openhands/bin/server\"]\n"},
		{name: "source", text: "frontend, `user: root`, the server's code from a checkout", code: true,
			file: specFile + "user: root\nserver: {name: action-execution-server, source: checkout}\n"},
	}
}

func wayNamed(name string) way {
	all := ways()
	return all[slices.IndexFunc(all, func(w way) bool { return w.name == name })]
}

func isWay(name string) bool {
	return slices.ContainsFunc(ways(), func(w way) bool { return w.name == name })
}

func wayNames() string {
	var names []string
	for _, w := range ways() {
		names = append(names, w.name)
	}
	return strings.Join(names, ", ")
}

// ours tells this frontend's ways from Dockerfiles.
func (w way) ours() bool { return strings.HasPrefix(w.file, "# syntax") }

// buildFile is the spec's or Dockerfile's name in a context.
const buildFile = "build"

// write fills a build context.
func (w way) write(dir, frontend, deps string) error {
	text := w.file
	if w.ours() {
		text = fmt.Sprintf(text, frontend, deps)
	} else {
		text = strings.ReplaceAll(text, "%[2]s", deps)
	}
	return os.WriteFile(filepath.Join(dir, buildFile), []byte(text), 0o644)
}
