package integration

import (
	"fmt"
	"testing"

	"github.com/openhands/llb-frontend/integration/engine"
)

// rpmBase makes a base with dnf and zypper, and a repository of one package,
// out of a Debian base: by the frontend itself. Tools of a manager that shall
// not be found are removed.
const rpmBase = `
base_image: debian:bookworm-slim
deps_image: %s
user: root
extra_deps:
  packages: [dnf, zypper, rpm, createrepo-c]
  run:
    - |
      set -e
      cat > /tmp/hello.spec <<'EOF'
      Name: hello-rpm
      Version: 1
      Release: 1
      Summary: says hello
      License: none
      BuildArch: noarch
      %%description
      %%{summary}
      %%install
      mkdir -p %%{buildroot}/opt
      echo hello from rpm > %%{buildroot}/opt/hello-rpm
      %%files
      /opt/hello-rpm
      EOF
      rpmbuild -bb --define '_rpmdir /repo' /tmp/hello.spec
      createrepo_c /repo
      mkdir -p /etc/yum.repos.d /etc/zypp/repos.d
      printf '[local]\nname=local\nbaseurl=file:///repo\nenabled=1\ngpgcheck=0\n' | tee /etc/yum.repos.d/local.repo > /etc/zypp/repos.d/local.repo
      rm -r /usr/bin/apt-get %s
`

func TestRPMPackageManagers(t *testing.T) {
	for manager, remove := range map[string]string{"dnf": "", "zypper": "/usr/bin/dnf"} {
		t.Run(manager, func(t *testing.T) {
			base := buildAs(t, "test/base-with-"+manager+":latest", fmt.Sprintf(rpmBase, prebuilt(t), remove))
			image := imageName(t)
			res := buildAs(t, image, fmt.Sprintf("base_image: %s\ndeps_image: %s\nextra_deps:\n  packages: [hello-rpm]\n", base.Ref, prebuilt(t)))
			contains(t, res.Log, "[packages] "+manager+" install hello-rpm")
			contains(t, run(t, engine.RunOptions{Image: image, Args: []string{"cat", "/opt/hello-rpm"}}), "hello from rpm")
		})
	}
}
