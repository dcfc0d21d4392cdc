"""Secrets that several servers have in common, each made by whoever needs it first."""

from __future__ import annotations

import secrets

from shared.state.database import Database, sql


def kept_secret(database: Database, name: str) -> bytes:
    """32 random bytes, the same for all who share the database."""
    put = "INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"
    with database.writing() as connection:
        sql(connection, put, name=name, value=secrets.token_hex(32))
        value: str = sql(connection, "SELECT value FROM secrets WHERE name = :name", name=name).scalar_one()
    return bytes.fromhex(value)
