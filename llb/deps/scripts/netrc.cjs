// Read by node before Playwright's installer, which knows no passwords: adds the
// one of netrc to requests for its host. And certificates are checked: behind a
// proxy the installer asks for them not to be.
const fs = require('fs');
const http = require('http');
const https = require('https');
const file = '/run/openhands/private/logins.json';
const logins = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
for (const module of [http, https]) {
  const request = module.request;
  module.request = function (options, ...rest) {
    if (options && typeof options === 'object' && !(options instanceof URL)) {
      const host = String(options.hostname || options.host || '').toLowerCase();
      const login = logins[host] || logins[''];
      options = { ...options };
      if (options.rejectUnauthorized === false) delete options.rejectUnauthorized;
      if (login && options.method !== 'CONNECT') options.headers = { authorization: login, ...options.headers };
    }
    return request.call(this, options, ...rest);
  };
}
