"""Tables, pages and small pictures for people."""
