package compat

import "slices"

// Rows are the table, in the order of the page: where things come from, what is
// said on the command line, what a build keeps and gives.
func Rows() []Row {
	return slices.Concat(sources(), options(), results(), answers(), core())
}

func sources() []Row {
	return []Row{
		{
			Name:   "`-f any.yaml`, `-f -`, a git or http context",
			Peers:  marks("Y Y P P - -"),
			Ours:   "A spec has any name, and comes from a file, from stdin, from a repository (`https://example.com/repo.git#branch:directory`), from an address or out of an archive there.",
			Proofs: []string{"TestCompatSources/any file", "TestCompatSources/stdin", "TestCompatSources/git", "TestCompatSources/http"},
		},
		{
			Name:   "`.dockerignore`, `any.yaml.dockerignore`",
			Peers:  marks("Y Y N Y ? -"),
			Ours:   "They count for `server.source`, the only thing that a build takes from its context. The spec's own one wins.",
			Proofs: []string{"TestCompatSources/dockerignore"},
		},
		{
			Name:   "`--build-arg BUILDKIT_SYNTAX=...`",
			Peers:  marks("? ? ? ? - -"),
			Ours:   "A spec without a syntax line is built by the frontend that the build arg names.",
			Proofs: []string{"TestCompatSources/BUILDKIT_SYNTAX"},
		},
		{
			Name:  "`--build-context name=...`: `docker-image://`, `oci-layout://`, git, http, a directory",
			Peers: marks("Y P N N - -"),
			Ours: "Each stands for `base_image`, `deps_image`, `deps.builder` and `server.source`, with the image's own config where it has one. " +
				"A file from an address is the file alone, as for Dockerfiles: nothing is unpacked.",
			Proofs: []string{"TestCompatContexts/base_image", "TestCompatContexts/deps_image", "TestCompatContexts/deps.builder", "frontend.TestServerSource"},
		},
		{
			Name:   "bake: `contexts = { deps = \"target:deps\" }`",
			Peers:  marks("Y Y N N - -"),
			Ours:   "[examples/bake](../examples/bake/docker-bake.hcl): bases times platforms, `/openhands` built once and shared by all.",
			Proofs: []string{"TestCompatBake"},
		},
	}
}

func options() []Row {
	return []Row{
		{
			Name:   "`--platform a,b`",
			Peers:  marks("Y Y N Y N Y"),
			Ours:   "linux/amd64 and linux/arm64, without emulation where no command of the spec runs. The key `platforms` is the default.",
			Proofs: []string{"TestTwoPlatformsWithEmulationOff", "frontend.TestPlatforms"},
		},
		{
			Name:   "`BUILDKIT_MULTI_PLATFORM=1`, builders of several nodes",
			Peers:  marks("Y Y N N N -"),
			Ours:   "One platform gives an index too.",
			Proofs: []string{"TestCompatResults/BUILDKIT_MULTI_PLATFORM"},
		},
		{
			Name:  "`--build-arg K=V`, `TARGETARCH` and its like",
			Peers: marks("Y Y P P - N"),
			Ours: "Args that the spec declares are for values and commands; one that it does not declare is warned of. `BASE_IMAGE`, `DEPS_IMAGE` " +
				"and the platform args of Dockerfiles are always there: `deps_image: registry.example.com/deps-${TARGETARCH}`. [All of it](spec.md#args-in-values).",
			Proofs: []string{"TestCompatArgs/declared", "TestCompatArgs/undeclared", "TestCompatArgs/platform", "frontend.TestPlatformArgs"},
		},
		{
			Name:   "proxies: `HTTP_PROXY` and others",
			Peers:  marks("Y ? N Y P -"),
			Ours:   "Every command of a build gets them; image, history and cache keys do not.",
			Proofs: []string{"TestCompatArgs/proxies", "TestClosedNetwork"},
		},
		{
			Name:   "`--label`",
			Peers:  marks("Y N N Y N P"),
			Ours:   "Wins over the labels of base and spec.",
			Proofs: []string{"TestCompatImage/--label"},
		},
		{
			Name:   "`--annotation`",
			Peers:  marks("Y Y Y Y - Y"),
			Ours:   "Is written by the exporter.",
			Proofs: []string{"TestCompatImage/--annotation"},
		},
		{
			Name:   "`--target`",
			Peers:  marks("Y Y N N - N"),
			Ours:   "`runtime`, `deps` and `check`; for another name the nearest is suggested.",
			Proofs: []string{"TestMistakes/unknown target", "TestCheckTarget", "TestDepsImageHoldsOnlyOpenhands"},
		},
		{
			Name:   "`--no-cache`, `--no-cache-filter a,b`",
			Peers:  marks("Y P N Y P -"),
			Ours:   "The filter takes the names in brackets of the progress: components (`lib`, `tools`, `browser`, ...) and steps (`packages`, `run`, `check`).",
			Proofs: []string{"TestCompatCache/--no-cache-filter", "TestRebuildGivesTheSameDigest"},
		},
		{
			Name:   "`--add-host`",
			Peers:  marks("Y N N Y ? -"),
			Ours:   "Every command of a build knows the host, also those that fetch.",
			Proofs: []string{"TestCompatCommands/--add-host", "frontend.TestRequestOptionsReachEveryCommand", "TestClosedNetwork"},
		},
		{
			Name:   "`--ulimit`",
			Peers:  marks("Y N N Y N -"),
			Ours:   "Holds for every command.",
			Proofs: []string{"TestCompatCommands/--ulimit", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`--shm-size`",
			Peers:  marks("Y N N Y N -"),
			Ours:   "The size of `/dev/shm` for every command.",
			Proofs: []string{"TestCompatCommands/--shm-size", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`--cgroup-parent`",
			Peers:  marks("Y N N Y N -"),
			Ours:   "Every command runs below it.",
			Proofs: []string{"TestCompatCommands/--cgroup-parent", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`--resource memory=...,cpu-...`",
			Peers:  marks("Y N N P N -"),
			Ours:   "Holds for every command.",
			Proofs: []string{"TestCompatCommands/--resource", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`--network none`, `--network host`",
			Peers:  marks("Y N N Y N -"),
			Ours:   "With `none` commands reach nothing, so that `/openhands` has to come from a `deps_image`. `host` needs a daemon that allows `network.host`.",
			Proofs: []string{"TestCompatCommands/--network", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`BUILDKIT_SANDBOX_HOSTNAME`",
			Peers:  marks("Y N N Y N -"),
			Ours:   "The host name of every command.",
			Proofs: []string{"TestCompatCommands/hostname", "frontend.TestRequestOptionsReachEveryCommand"},
		},
		{
			Name:   "`BUILDKIT_CACHE_MOUNT_NS`",
			Peers:  marks("Y N P Y N -"),
			Ours:   "Keeps the caches of apt, uv, npm and conda apart from those of other builds.",
			Proofs: []string{"TestCompatCache/BUILDKIT_CACHE_MOUNT_NS", "llb/deps.TestCacheNamespace"},
		},
		{
			Name:   "`--pull`",
			Peers:  marks("Y P N Y N -"),
			Ours:   "Every image of the spec is looked up again, also where the daemon prefers what it has.",
			Proofs: []string{"TestCompatCache/--pull", "frontend.TestPull"},
		},
		{
			Name:  "`--secret`, `--ssh`",
			Peers: marks("Y Y Y P ? -"),
			Ours: "What a build fetches uses the secrets `ca`, `netrc`, `pip`, `npm` and `apt` ([closed networks](closed-networks.md)). A command of `extra_deps.run` has these, " +
				"any other that it mentions as `/run/secrets/NAME`, and with `--ssh default` the client's agent.",
			Proofs: []string{"TestCompatCommands/--secret", "TestCompatCommands/--ssh", "TestNoSecretInImage", "TestClosedNetwork"},
		},
	}
}

func results() []Row {
	return []Row{
		{
			Name:   "`--cache-from`",
			Peers:  marks("Y N Y Y Y -"),
			Ours:   "Of every kind that follows.",
			Proofs: []string{"TestCompatCache/--cache-to"},
		},
		{
			Name:   "`--cache-to` inline, registry, local; `BUILDKIT_INLINE_CACHE`",
			Peers:  marks("Y Y Y Y Y -"),
			Ours:   "A daemon that has never run a command takes its result from the cache that another has left.",
			Proofs: []string{"TestCompatCache/--cache-to"},
		},
		{
			Name:   "`-o type=image`, `oci`, `docker`, `tar`, `local`",
			Peers:  marks("? ? ? ? ? ?"),
			Ours:   "All of them, for one platform and for several.",
			Proofs: []string{"TestCompatResults/exporters"},
		},
		{
			Name:  "`SOURCE_DATE_EPOCH`, `rewrite-timestamp=true`",
			Peers: marks("Y P N P N Y"),
			Ours: "The time of the image and of the files that a build writes into it. Layers of base and `/openhands` keep their digests. " +
				"`SOURCE_DATE_EPOCH=context` takes the time of the commit, or of what an address serves; a local context has none.",
			Proofs: []string{"TestTwoPlatformsWithEmulationOff", "TestRebuildGivesTheSameDigest", "TestCompatResults/context epoch", "llb/imageconfig.TestRewriteTimestamp"},
		},
		{
			Name:   "`--provenance`, `mode=max`",
			Peers:  marks("Y Y Y Y - ?"),
			Ours:   "Names base, deps image and frontend by digest; with `mode=max` it holds the spec and every step.",
			Proofs: []string{"TestCompatAttestations/--provenance"},
		},
		{
			Name:   "`--sbom`, `--attest type=sbom,generator=...`",
			Peers:  marks("Y Y Y Y - Y"),
			Ours:   "The scanner sees base and `/openhands`. It reads files, so the image is pulled for it.",
			Proofs: []string{"TestCompatAttestations/--sbom", "TestPulls"},
		},
		{
			Name:  "base's config: environment, labels, volumes, ports, health check, history",
			Peers: marks("Y P N Y P P"),
			Ours: "All of it stays where the base's command does. Where the image starts something else, the base's health check and stop signal, " +
				"which are for the base's program, go with its command; so does `ONBUILD` ([image.md](image.md)).",
			Proofs: []string{"TestCompatResults/base config", "llb/imageconfig.TestApply", "llb/imageconfig.TestApplyCommand"},
		},
	}
}

func answers() []Row {
	return []Row{
		{
			Name:   "`--call=outline`, `targets`, `check`; `--check`; convert to LLB",
			Peers:  marks("Y P N N - N"),
			Ours:   "As text and as JSON. The request `frontend.convertllb`, which buildx has no flag for, gives the graph.",
			Proofs: []string{"TestCall/outline", "TestCall/outline as JSON", "TestCall/targets", "TestCall/check", "frontend.TestSubrequests"},
		},
		{
			Name:   "`BUILDKIT_DOCKERFILE_CHECK`, `# check=`",
			Peers:  marks("Y N N N - -"),
			Ours:   "`skip=`, `error=` and `experimental=` with [our own rules](checks.md).",
			Proofs: []string{"TestCall/strict rules that are errors", "frontend/lint.TestConfig"},
		},
		{
			Name:   "errors with file and line, warnings with a place",
			Peers:  marks("Y Y N N P N"),
			Ours:   "All mistakes of a spec at once, each under its line; a command that fails is marked in the spec.",
			Proofs: []string{"TestMistakes", "frontend.TestErrorsPointIntoTheSpec", "frontend.TestWarnings"},
		},
	}
}

func core() []Row {
	return []Row{
		{
			Name:   "works without MergeOp",
			Peers:  marks("Y Y N Y P -"),
			Ours:   "`/openhands` is copied instead, with one warning that says what it costs.",
			Proofs: []string{"TestCopyFallbackGivesTheSameFiles", "frontend.TestWithoutMergeOpNothingIsMerged"},
		},
		{
			Name:   "inputs pinned by a lock file",
			Peers:  marks("N N N N N Y"),
			Ours:   "`--target lock` writes digests of images and downloads, a time for the distribution's packages, and what is known of bases; a build beside it uses it ([lock.md](lock.md)).",
			Proofs: []string{"TestLock", "TestLockMessages", "TestLockOnTwoDaemons"},
		},
		{
			Name:   "any base: Alpine, distroless, RPM, a directory",
			Peers:  marks("- N N N N P"),
			Ours:   "Nothing of a base is used but its files: `/openhands` has a loader of its own.",
			Proofs: []string{"TestToolsRunOnEveryBase", "TestCompatContexts/base_image", "TestSealMatrix", "TestRPMPackageManagers"},
		},
		{
			Name:   "user and group from the spec",
			Peers:  marks("N ? N N Y Y"),
			Ours:   "A name, a number, or all of it, edited as text: a base without a shell gets one too.",
			Proofs: []string{"TestIdentityLayer", "TestTakenID", "TestBaseSymlinksStay"},
		},
	}
}
