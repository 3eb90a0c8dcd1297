"""Lets schemathesis generate valid wallet addresses, which no regular expression can: they contain a checksum."""

import schemathesis
from hypothesis import strategies as st

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def polymod(values):
    """The BCH checksum of BIP-173."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def address(data, prefix="pb"):
    """The bech32 encoding of an account's bytes: groups of five bits, zero-padded, then a checksum of six groups."""
    bits = "".join(f"{byte:08b}" for byte in data)
    groups = [int(bits[i : i + 5].ljust(5, "0"), 2) for i in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod(expanded + groups + [0] * 6) ^ 1
    groups += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[group] for group in groups)


# The account of a key has 20 bytes, that of a contract or a module 32. Only mainnet's prefix is generated, because a server
# serves one network and refuses addresses of the other.
size = st.sampled_from((20, 32))
account = size.flatmap(lambda n: st.binary(min_size=n, max_size=n))
schemathesis.openapi.format("provenance-address", account.map(address))
schemathesis.openapi.format("provenance-operator", account.map(lambda data: address(data, "pbvaloper")))


def take_null(schema):
    """Takes null for every property that is not required, as the server does: it means that the property is absent. The
    published schema does not say so, because some MCP clients refuse types that may be null."""
    if not isinstance(schema, dict):
        return
    for name, property in schema.get("properties", {}).items():
        take_null(property)
        if name not in schema.get("required", []):
            schema["properties"][name] = {"anyOf": [property, {"type": "null"}]}
    take_null(schema.get("items"))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Gives every address schema its format, which the server does not publish (some MCP clients refuse a format that
    they do not know), and an example of either length.

    The coverage phase draws a string from its pattern, whatever its format, unless there are examples and no bounds
    on the length. The pattern bounds the length already.
    """
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            # Forms have texts, and no null.
            json = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if json:
                take_null(json["schema"])
    pending = [raw_schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict) and str(node.get("pattern")).startswith("^(pb|tp)1"):
            node["format"] = "provenance-address"
            node["examples"] = [address(bytes(20)), address(bytes(32)), *node.get("examples", [])]
            node.pop("minLength", None)
            node.pop("maxLength", None)
        if isinstance(node, dict) and str(node.get("pattern")).startswith("^(pb|tp)valoper1"):
            node["format"] = "provenance-operator"
            node["examples"] = [address(bytes(20), "pbvaloper"), address(bytes(32), "pbvaloper")]
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
