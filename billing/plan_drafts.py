"""Plans as staff draft them, before anybody can buy them."""
