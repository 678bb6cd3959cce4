"""Decodes records of the sanitised topic as other readers printed them, and prints them as one JSON document.

usage: read_sanitized.py kcat REGISTRY-URL       kcat -f '%p %o %T %k %h\\n%R%s'; schemas come from the registry, by id
       read_sanitized.py console SCHEMA-FILE     Kafka's console consumer, values as text with \\xHH; the schema is this file
"""

import io
import json
import re
import sys
from functools import cache
from urllib.request import urlopen

import fastavro


def from_kcat(stream):
    """A line of coordinates, then the value behind its length in four bytes."""
    while line := stream.readline():
        partition, offset, timestamp, key, headers = line.decode().rstrip("\n").split(" ")
        value = stream.read(int.from_bytes(stream.read(4), "big"))
        yield int(partition), int(offset), int(timestamp), key, headers, value


def from_console(stream):
    """CreateTime:1, Partition:2, Offset:3, headers, key and value, with tabs between."""
    for line in stream:
        fields = line.decode().rstrip("\n").split("\t")
        timestamp, partition, offset = (int(field.split(":")[1]) for field in fields[:3])
        headers, key, text = fields[3:]
        value = re.sub(rb"\\x([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
        yield partition, offset, timestamp, key, headers, value


def schema_source(where):
    if not where.startswith("http"):
        with open(where) as file:
            schema = fastavro.parse_schema(json.load(file))
        return lambda _: schema

    @cache
    def by_id(number):
        with urlopen(f"{where}/schemas/ids/{number}") as answer:
            return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))

    return by_id


def decode(value, schema_of):
    """Confluent's wire format: a zero, the schema's id in four bytes, the record; nothing after it."""
    if value[0] != 0:
        raise ValueError("not Confluent's wire format")
    body = io.BytesIO(value[5:])
    record = fastavro.schemaless_reader(body, schema_of(int.from_bytes(value[1:5], "big")))
    if body.read(1):
        raise ValueError("bytes after the record")
    return record


if __name__ == "__main__":
    read = {"kcat": from_kcat, "console": from_console}[sys.argv[1]]
    schema_of = schema_source(sys.argv[2])
    records = [
        {
            "partition": partition,
            "offset": offset,
            "timestamp": timestamp,
            "key": key,
            "headers": dict(re.split("[=:]", header, maxsplit=1) for header in headers.split(",")),
            "batch": decode(value, schema_of),
        }
        for partition, offset, timestamp, key, headers, value in read(sys.stdin.buffer)
    ]
    print(json.dumps(records))
