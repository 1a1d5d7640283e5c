"""What crosses a service's border: the words of the field, the envelope, and every event, one module per emitter."""
