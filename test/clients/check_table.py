"""Reads a training table with the clients that people use, and prints what each saw as one JSON document.

usage: check_table.py TABLE read          rows and digest by client, version, progress marks
       check_table.py TABLE checkpoint    deltalake writes a checkpoint
       check_table.py TABLE append        deltalake appends one row of its own
       check_table.py TABLE vacuum        deltalake lists what a full vacuum without retention would delete
       check_table.py TABLE clean         deltalake carries that out

STORAGE_OPTIONS, a JSON object, is what deltalake and polars must be told of the table's storage.
"""

import hashlib
import json
import os
import sys
from datetime import date

import deltalake
import duckdb
import polars
import pyarrow

STORAGE = json.loads(os.environ.get("STORAGE_OPTIONS", "{}"))

COLUMNS = (
    "date session subject step action app window url target_role target key button direction cell pause length count"
    " policy schema"
).split()


def digest(rows):
    """The digest of src/sinks/training-table/read-table.ts, made anew."""
    total = 0
    for row in rows:
        values = [row[c].isoformat() if isinstance(row[c], date) else row[c] for c in COLUMNS]
        canonical = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        total += int(hashlib.sha256(canonical.encode()).hexdigest(), 16)
    return {"rows": len(rows), "digest": f"{total % 2**256:064x}"}


def read(path):
    table = deltalake.DeltaTable(path, storage_options=STORAGE)
    dataset = table.to_pyarrow_dataset()
    frame = polars.read_delta(path, storage_options=STORAGE)
    connection = duckdb.connect()
    connection.register("actions", dataset)
    relation = connection.sql("select * from actions")
    in_duckdb = [dict(zip(relation.columns, row)) for row in relation.fetchall()]
    first = frame.sort("session", "step").row(0, named=True)
    return {
        "version": table.version(),
        "columns": [[field.name, field.type.type, field.nullable] for field in table.schema().fields],
        "partitions": table.metadata().partition_columns,
        "protocol": [table.protocol().min_reader_version, table.protocol().min_writer_version],
        "marks": {appid: table.transaction_version(appid) for appid in sys.argv[3:]},
        "deltalake": digest(dataset.to_table().to_pylist()),
        "polars": digest(frame.rows(named=True)),
        "duckdb": digest(in_duckdb),
        # Readers skip files by their statistics: wrong bounds lose rows here.
        "polars_filtered": polars.scan_delta(path, storage_options=STORAGE).filter(polars.col("session") == first["session"]).collect().height,
        "duckdb_filtered": connection.execute(
            "select count(*) from actions where date = ? and session = ?", [first["date"], first["session"]]
        ).fetchone()[0],
        "deltalake_filtered": len(
            table.to_pyarrow_table(filters=[("session", "=", first["session"]), ("step", ">=", 0)])
        ),
    }


def checkpoint(path):
    table = deltalake.DeltaTable(path, storage_options=STORAGE)
    table.create_checkpoint()
    return {"version": table.version()}


def append(path):
    schema = deltalake.DeltaTable(path, storage_options=STORAGE).to_pyarrow_dataset().schema
    row = {name: None for name in COLUMNS} | {
        "date": date(2026, 12, 1),
        "session": "f" * 32,
        "step": 0,
        "action": "click",
        "policy": "sha256:" + "00" * 32,
        "schema": 1,
    }
    rows = pyarrow.Table.from_pylist([row], schema=schema)
    deltalake.write_deltalake(path, rows, mode="append", storage_options=STORAGE)
    table = deltalake.DeltaTable(path, storage_options=STORAGE)
    return {"version": table.version(), "protocol": [table.protocol().min_reader_version, table.protocol().min_writer_version]}


def vacuum(path):
    table = deltalake.DeltaTable(path, storage_options=STORAGE)
    return {"would_delete": table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=True, full=True)}


def clean(path):
    table = deltalake.DeltaTable(path, storage_options=STORAGE)
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    return {"version": table.version()}


if __name__ == "__main__":
    actions = {"read": read, "checkpoint": checkpoint, "append": append, "vacuum": vacuum, "clean": clean}
    print(json.dumps(actions[sys.argv[2]](sys.argv[1])), flush=True)
    # Threads of the readers can abort the process while it is taken down; what they read has been printed.
    os._exit(0)
