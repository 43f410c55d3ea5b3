"""Tables: how files hold them, what their columns mean, how networks see them."""
