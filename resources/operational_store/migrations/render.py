"""Write migration 0001 anew from `schema`: only until the first release.

A migration is history: it must go on making the tables as they were on its day, whatever
`schema` says later. So it runs SQL text, and this module wrote that text. Once a home of version
0001 exists somewhere, a change of `schema` comes with a migration of its own instead.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, SetTableComment

from resources.operational_store.schema import LAKE_TABLES, metadata

TARGET = Path(__file__).parent / "versions" / "0001_the_spine.sql"

FUNCTIONS = """\
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused, correct it by a further row',
        tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

create function refuse_unbalanced_entries() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    select entry_id, currency_code, sum(amount) as difference, count(*) as line_count
    into wrong
    from inserted_line
    group by entry_id, currency_code
    having sum(amount) <> 0 or count(*) < 2
    limit 1;
    if found then
        raise exception 'journal entry % does not balance: % % in % line(s) of this statement',
            wrong.entry_id, wrong.difference, wrong.currency_code, wrong.line_count
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;
"""

BALANCE = """\
create trigger refuse_unbalanced_entries after insert on journal_line
referencing new table as inserted_line
for each statement execute function refuse_unbalanced_entries();
"""


def rendered() -> str:
    """The SQL text that makes the tables of `schema` and the triggers that guard them."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap

    def text(element: sa.schema.ExecutableDDLElement) -> str:
        return "\n".join(
            line.rstrip().expandtabs(4)
            for line in str(element.compile(dialect=dialect)).strip().splitlines()
        )

    parts = ["create sequence stock_ledger_sequence;\n"]
    for table in metadata.sorted_tables:
        statements = [text(CreateTable(table))]
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [text(CreateIndex(index)) for index in indexes]
        if table.comment is not None:
            statements.append(text(SetTableComment(table)))
        parts.append(";\n\n".join(statements) + ";\n")
    parts.append(FUNCTIONS)
    parts.append(BALANCE)
    parts += [
        f"create trigger refuse_change before update or delete or truncate on {table.name}\n"
        "for each statement execute function refuse_change();\n"
        for table in LAKE_TABLES
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(rendered())
