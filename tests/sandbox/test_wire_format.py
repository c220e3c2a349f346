from __future__ import annotations

from stripe_sandbox.wire import parse_form


class TestParseForm:
    def test_reads_plain_keys(self):
        assert parse_form("email=a%40b.example&name=A+B") == {
            "email": "a@b.example",
            "name": "A B",
        }

    def test_reads_hashes(self):
        assert parse_form("metadata[org]=7&metadata[plan]=pro") == {
            "metadata": {"org": "7", "plan": "pro"}
        }

    def test_reads_indexed_arrays_of_hashes(self):
        assert parse_form(
            "items[0][price]=p&items[0][quantity]=2&items[1][price]=q"
        ) == {"items": {"0": {"price": "p", "quantity": "2"}, "1": {"price": "q"}}}

    def test_counts_arrays_without_an_index(self):
        assert parse_form("expand[]=a&expand[]=b") == {"expand": {"0": "a", "1": "b"}}

    def test_begins_a_new_hash_when_a_field_repeats(self):
        assert parse_form("items[][price]=p&items[][quantity]=2&items[][price]=q") == {
            "items": {"0": {"price": "p", "quantity": "2"}, "1": {"price": "q"}}
        }

    def test_keeps_empty_values(self):
        assert parse_form("description=") == {"description": ""}
