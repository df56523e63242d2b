#!/bin/sh
# Makes the secrets of compose.yaml that are missing, and a certificate for trying; changes none that is there.
#
#   sh deploy/compose/make-secrets.sh [HOST NAME]
#
# They are readable for their owner and for the group 10001, which the containers have: run it as root, or belong to it.
set -eu
cd "$(dirname "$0")"
name=${1:-localhost}
umask 077
mkdir -p secrets

make() {
  [ -e "secrets/$1" ] && return
  "$2" >"secrets/.new"
  mv "secrets/.new" "secrets/$1"
  echo "made secrets/$1"
}
# Letters and digits: some programs put it into a URL.
password() { head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 32; }
key() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }

make admin_password password
make database_password password
make object_store_password password
make encryption_key key
if [ ! -e secrets/tls_key ] && [ ! -e secrets/tls_certificate ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout secrets/tls_key -out secrets/tls_certificate 2>/dev/null
  echo "made secrets/tls_key, secrets/tls_certificate: for trying; put in those of your authority"
fi
chmod 0750 secrets
chmod 0440 secrets/*
chgrp 10001 secrets secrets/* 2>/dev/null ||
  echo "Run as root: chgrp 10001 $PWD/secrets $PWD/secrets/*" >&2
