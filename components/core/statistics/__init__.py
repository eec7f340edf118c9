"""How far two tables are apart. Imports base."""
