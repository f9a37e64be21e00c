// A native addon, and what node thinks of the C library.
const { crc32 } = require('/openhands/node/lib/node_modules/@node-rs/crc32');
const zlib = require('node:zlib');
const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'unknown libc';
console.log(libc, crc32('seal') === zlib.crc32('seal'), new Intl.DateTimeFormat('de', { month: 'long' }).format(new Date(0)));
