#!/usr/bin/env node
// Starts the binary of this platform, which npm has installed as an optional dependency.
'use strict';

const { spawn } = require('node:child_process');

const name = `@bifold/${process.platform}-${process.arch}`;
const program = process.platform === 'win32' ? 'bifold.exe' : 'bifold';

let path;
try {
  path = require.resolve(`${name}/bin/${program}`);
} catch {
  console.error(
    `bifold: the package ${name} is not installed. Either there is no binary for this platform, or npm was told to ` +
      'leave out optional dependencies: install again without --omit=optional.'
  );
  process.exit(1);
}

const child = spawn(path, process.argv.slice(2), { stdio: 'inherit', windowsHide: true });
// The child decides when it ends; a signal is for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`bifold: ${path} cannot be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
