"""Proofs over `test_merkle.ENTRIES` as certificate transparency's reference implementation published them."""

N = {
    "0": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "6": "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "0-1": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "2-3": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4-5": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "6-7": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0-3": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4-7": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}

INCLUSION = [
    (0, 1, []),
    (0, 8, [N["1"], N["2-3"], N["4-7"]]),
    (5, 8, [N["4"], N["6-7"], N["0-3"]]),
    (2, 3, [N["0-1"]]),
    (1, 5, [N["0"], N["2-3"], N["4"]]),
]
"""Index, size, path."""

CONSISTENCY = [
    (1, 1, []),
    (1, 8, [N["1"], N["2-3"], N["4-7"]]),
    (6, 8, [N["4-5"], N["6-7"], N["0-3"]]),
    (2, 5, [N["2-3"], N["4"]]),
    (6, 7, [N["4-5"], N["6"], N["0-3"]]),
]
"""Old size, new size, path."""
