#!/bin/bash
# Starts the broker; the first time it makes its folder, with a user for each part of the line. Passwords come from files.
set -euo pipefail
bin=${KAFKA_BIN:-/opt/kafka/bin}
config=${KAFKA_CONFIG:-/etc/redactory/server.properties}
secrets=${KAFKA_SECRETS:-/run/secrets}
data=$(sed -n 's/^log\.dirs=//p' "$config")

if [ ! -e "$data/meta.properties" ]; then
  users=()
  for file in admin producer gateway sanitizer sink steward operator; do
    name=redactory-$file
    [ "$file" = admin ] && name=admin
    users+=(--add-scram "SCRAM-SHA-512=[name=$name,password=$(cat "$secrets/kafka-$file")]")
  done
  "$bin/kafka-storage.sh" format --cluster-id "$("$bin/kafka-storage.sh" random-uuid)" --config "$config" "${users[@]}"
fi
exec "$bin/kafka-server-start.sh" "$config"
