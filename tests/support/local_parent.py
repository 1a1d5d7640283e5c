"""A parent that brings a server up and then waits to be killed: `local_parent.py postgres|kafka FOLDER`."""

import sys
from pathlib import Path

from libs.common.local.kafka import LocalKafka
from libs.common.local.postgres import PrivatePostgres

kind, folder = sys.argv[1:]
server = PrivatePostgres(Path(folder), durable=False) if kind == "postgres" else LocalKafka(Path(folder))
server.start()
sys.stdout.write("up\n")
sys.stdout.flush()
sys.stdin.read()
