# Read before commands that run in a base: hands them the client's secrets, by
# the variables that tools have for them. A base may have a shell and nothing
# else. What is written lies in a tmpfs, and is in no layer.
private=/run/openhands/private
copy() { while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"; }
bundle() {
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem /openhands/c/cert.pem; do
    if [ -s "$file" ]; then copy "$file" && break; fi
  done
  copy /run/secrets/ca
}
if [ -s /run/secrets/ca ]; then
  bundle >$private/ca.pem
  for name in SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO NPM_CONFIG_CAFILE; do
    export "$name=$private/ca.pem"
  done
fi
if [ -s /run/secrets/netrc ]; then export NETRC=/run/secrets/netrc; fi
if [ -s /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi
if [ -s /run/secrets/npm ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npm; fi
