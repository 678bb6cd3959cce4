#!/bin/sh
# Makes what is missing of the passwords of deploy/compose.yaml, in deploy/compose/secrets. Never overwrites one.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# Compose shows a file to a container with its mode and owner: the folder is what keeps others of this machine out,
# the mode lets the containers' group read (docs/deploying.md).
chmod 700 "$folder"
for name in kafka-admin kafka-producer kafka-gateway kafka-sanitizer kafka-sink kafka-steward kafka-operator grafana-admin; do
  [ -e "$folder/$name" ] || (umask 027 && openssl rand -hex 24 > "$folder/$name")
done
if [ "$(id -u)" = 0 ]; then chgrp -R 10001 "$folder"; fi
