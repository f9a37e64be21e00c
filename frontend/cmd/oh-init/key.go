package main

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	actionServer = "openhands.runtime.action_execution_server"
	agentServer  = "openhands.agent_server"

	// keyVariable is where both servers read the key that their clients must have.
	keyVariable = "SESSION_API_KEY"
	// agentKeyVariable is another one of the agent-server.
	agentKeyVariable = "OH_SESSION_API_KEYS_0"
)

// withKey sees to it that a server which the image's own command starts does not
// obey everybody who reaches its port.
//
// The action execution server listens on all interfaces, with a key or without:
// where the container has none it gets one, and people read it in the log. A
// variable that is set and empty is their decision for none. The agent-server
// listens on the loopback then, by itself; the note says why no published port
// leads to it.
//
// Only the image's command calls the server's interpreter by its own path. Hosts
// that bring another know which key they gave. An err is that no key could be made:
// the server must not start without.
func withKey(r root, command []string, env environ) (_ environ, note, err error) {
	starts := func(python, module string) bool {
		return command[0] == r.at(python) && slices.Contains(command, module)
	}
	switch {
	case starts(serverEnv+"/bin/python", actionServer) && !env.has(keyVariable):
		key, err := newKey()
		if err != nil {
			return env, nil, fmt.Errorf("make a %s: %w; set the variable", keyVariable, err)
		}
		return env.with(keyVariable, key), fmt.Errorf("%s is not set: the server wants the header X-Session-API-Key: %s; set the variable to choose the key, or to nothing for a server that obeys everybody", keyVariable, key), nil
	case starts(agentPython, agentServer) && env.get(keyVariable) == "" && env.get(agentKeyVariable) == "" && !hasHost(command):
		return env, fmt.Errorf("%s is not set: the server listens on 127.0.0.1 of this container alone; set the variable for one that can be reached from outside", keyVariable), nil
	}
	return env, nil, nil
}

// hasHost tells whether a command line of the agent-server says where to listen.
func hasHost(command []string) bool {
	return slices.ContainsFunc(command, func(arg string) bool { return arg == "--host" || strings.HasPrefix(arg, "--host=") })
}

// newKey is 128 random bits of the kernel, which gives so few at once or not at all
// (getrandom(2)). crypto/rand would say it in one line and weigh 57 kB in every image.
func newKey() (string, error) {
	bits := make([]byte, 16)
	if _, err := unix.Getrandom(bits, 0); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", bits), nil
}
