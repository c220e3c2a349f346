"""Conditions that the database holds rows to, kept ready between statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.db import models
from django.db.models.sql import Query
from django.db.models.sql.where import OR

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    Model = type[models.Model] | None
    SchemaEditor = BaseDatabaseSchemaEditor | None


class RowGuard(models.CheckConstraint):
    """A check of each row that is written, by triggers: for what every spend writes.

    PostgreSQL reads a CHECK from its catalog and prepares it for each statement: those
    of five tables took a third of a debit. The function of a trigger stays prepared.
    What it refuses is an integrity error with the name of the guard, as with a CHECK.
    """

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same guard: a CHECK is another."""
        return isinstance(other, RowGuard) and super().__eq__(other)

    __hash__ = models.CheckConstraint.__hash__

    def constraint_sql(self, model: Model, schema_editor: SchemaEditor) -> str:
        """Return no part of CREATE TABLE: the triggers follow it."""
        editor = cast("BaseDatabaseSchemaEditor", schema_editor)
        editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: Model, schema_editor: SchemaEditor) -> str:
        """Return the function and its triggers.

        After an update, because a trigger before it locks and reads the row again.
        """
        model = cast("type[models.Model]", model)
        editor = cast("BaseDatabaseSchemaEditor", schema_editor)
        table = editor.quote_name(model._meta.db_table)
        return f"""
            CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {self._returns(model, editor)}
                RAISE EXCEPTION USING ERRCODE = 'check_violation',
                    MESSAGE = '{self.name}: ' || NEW || ' cannot be',
                    CONSTRAINT = '{self.name}', TABLE = TG_TABLE_NAME;
            END $$;
            CREATE TRIGGER {self.name} BEFORE INSERT ON {table}
                FOR EACH ROW EXECUTE FUNCTION {self.name}();
            CREATE TRIGGER {self.name}_on_update AFTER UPDATE ON {table}
                FOR EACH ROW EXECUTE FUNCTION {self.name}();
        """

    def remove_sql(self, model: Model, schema_editor: SchemaEditor) -> str:
        """Return what takes it away."""
        return f"DROP FUNCTION {self.name}() CASCADE"

    def _returns(
        self, model: type[models.Model], editor: BaseDatabaseSchemaEditor
    ) -> str:
        """Return an IF for each way of being right: as a rule the first one is it."""
        query = Query(model)
        compiler = query.get_compiler(connection=editor.connection)
        where = query.build_where(self.condition)  # type: ignore[arg-type] # as Django
        table = editor.quote_name(model._meta.db_table)
        returns = ""
        for way in where.children if where.connector == OR else [where]:
            sql, values = compiler.compile(way)
            sql = sql % tuple(editor.quote_value(value) for value in values)
            is_so = sql.replace(f"{table}.", "NEW.")
            returns += f"IF {is_so} THEN RETURN NEW; END IF;\n"
        return returns
