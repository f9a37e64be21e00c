// Package seal makes glibc programs run from /openhands on any Linux root,
// whatever C library that root has, or has not.
//
// A dynamic executable names its loader by an absolute path (PT_INTERP, ELF
// gABI chapter 5), and the loader knows by heart where it looks for libraries.
// The seal overwrites such paths in place with others of the same length, so
// no section moves and no tool but this package is needed:
//
//   - in executables, the interpreter becomes [Interpreter];
//   - in that loader, the first built-in library directory becomes
//     [Arch.LibDir], and the other directories, ld.so.cache and ld.so.preload
//     become names that do not exist; and the environment variables that it
//     obeys begin with [EnvPrefix] instead of LD_;
//   - in a few libraries, directories of data become ones below /openhands.
//
// Every pattern must be found exactly as often as it is known to be there.
// Anything else is an error and leaves the bytes as they were: a file is
// sealed as a whole or not at all. Sealing twice changes nothing.
//
// The package works on bytes alone and so serves a foreign architecture too.
//
// So the image's LD_LIBRARY_PATH, LD_PRELOAD and LD_AUDIT mean nothing to a
// sealed program, and reach the image's own programs that it starts unchanged.
package seal
