"""A class: many people on one server, each known by a token, served in turn, within budgets, led by a teacher."""
