"""How events move: the one transaction, outbox and relay, inbox and batch consumer, over a memory bus or Kafka."""
