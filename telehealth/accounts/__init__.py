"""People: accounts, roles, the access table, second factors, sessions, apps."""
