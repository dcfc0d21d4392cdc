"""What several servers share: jobs, history, budgets and what people shared, in SQLite or in PostgreSQL.

`database.py` opens it, `migrations/` says in order how its tables came to be. All SQL is such that both understand it.
"""
