package main

import "path/filepath"

// Where things are in an image. Hosts of OpenHands have the first two built in.
const (
	codeDir   = "/openhands/code"
	mambaDir  = "/openhands/micromamba"
	poetryDir = "/openhands/poetry"
	// serverEnv is the virtual environment of the server.
	serverEnv = poetryDir + "/venv"
	// agentPython is the interpreter of the agent-server, by the name that its
	// hosts call.
	agentPython = "/agent-server/.venv/bin/python"

	realMicromamba = mambaDir + "/libexec/micromamba"
	realPoetry     = mambaDir + "/envs/openhands/libexec/poetry"

	workspaceDir = "/workspace"
	// Homes for a uid without one: of an image with a numeric user, and of an
	// image with the default user.
	numericHome = "/openhands-home"
	defaultHome = "/home/openhands"
	// tempHome is followed by the uid.
	tempHome = "/tmp/openhands-home-"
)

// root is the directory that the paths above and accounts lie below: "/", or a
// directory of a test.
type root string

func (r root) at(path string) string { return filepath.Join(string(r), path) }
