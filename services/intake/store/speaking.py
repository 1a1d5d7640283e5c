"""What is in a language, or in a variant of it: RFC 4647, section 3.3.1."""


def speaks(column: str, wanted: str) -> str:
    """Return the SQL that holds where a column's tag falls into the range of a parameter, or that is null."""
    return f"({wanted}::text IS NULL OR starts_with(lower({column}) || '-', lower({wanted}) || '-'))"


def about_ticket(table: str, wanted: str) -> str:
    """Return the SQL that holds where the ticket of a row is in the language of a parameter, or that is null."""
    ticket = f"SELECT FROM tickets t WHERE t.ticket_id = {table}.ticket_id AND {speaks('t.language', wanted)}"
    return f"({wanted}::text IS NULL OR EXISTS ({ticket}))"
