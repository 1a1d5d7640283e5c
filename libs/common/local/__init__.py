"""The servers Jiesu can bring itself, for this machine only: a private PostgreSQL, a local Apache Kafka."""
