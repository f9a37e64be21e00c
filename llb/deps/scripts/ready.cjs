// Read by node before VS Code's server: prints the line that says where VS Code
// is first, as soon as it is there, and after it what came before it.
//
// OpenHands V0 reads line by line what VS Code prints, and sleeps a second after
// each line until one says "at" (openhands/runtime/plugins/vscode/__init__.py of
// 0.62.0): eight seconds for a banner.
'use strict';
const ready = /^Web UI available at /;
const longest = 20000; // ms that lines are held back where no such line comes

// Processes that VS Code starts inherit node's options.
if (require('path').basename(process.argv[1] ?? '') === 'server-main.js') {
  const write = process.stdout.write;
  let held = [];
  const release = () => {
    process.stdout.write = write;
    for (const chunk of held) process.stdout.write(chunk);
    held = [];
  };
  process.stdout.write = (chunk, encoding, callback) => {
    if (ready.test(chunk)) {
      held.unshift(chunk);
      release();
    } else {
      held.push(typeof chunk === 'string' && typeof encoding === 'string' ? Buffer.from(chunk, encoding) : chunk);
    }
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  process.on('exit', release);
  setTimeout(release, longest).unref();
}
